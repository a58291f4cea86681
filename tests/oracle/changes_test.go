package oracle

import (
	"fmt"
	"reflect"
)

// The changes of mutate_test.go.

// Where something is: keys and indices from the root.
type path []any

// Every place of the configuration outside metadata that `wanted` likes.
func (m *mutator) places(wanted func(value any, inList bool) bool) []path {
	var out []path
	var walk func(v any, at path)
	walk = func(v any, at path) {
		if len(at) > 0 {
			if _, inList := at[len(at)-1].(int); wanted(v, inList) {
				out = append(out, append(path{}, at...))
			}
		}
		switch v := v.(type) {
		case map[string]any:
			for _, key := range sortedKeys(v) {
				if len(at) > 0 || !(isMeta(key) || (key == "status" && m.drops)) {
					walk(v[key], append(at, key))
				}
			}
		case []any:
			for i := range v {
				walk(v[i], append(at, i))
			}
		}
	}
	walk(m.object, nil)
	return out
}

func (m *mutator) place(wanted func(value any, inList bool) bool) (path, bool) {
	all := m.places(wanted)
	if len(all) == 0 {
		return nil, false
	}
	return pick(m.r, all), true
}

func (m *mutator) get(at path) any {
	var v any = m.object
	for _, step := range at {
		if i, ok := step.(int); ok {
			v = v.([]any)[i]
		} else {
			v = v.(map[string]any)[step.(string)]
		}
	}
	return v
}

func (m *mutator) set(at path, value any) {
	up := m.get(at[:len(at)-1])
	if i, ok := at[len(at)-1].(int); ok {
		up.([]any)[i] = value
		return
	}
	up.(map[string]any)[at[len(at)-1].(string)] = value
}

func anyPlace(any, bool) bool        { return true }
func inMap(_ any, inList bool) bool  { return !inList }
func isMap(v any, _ bool) bool       { _, ok := v.(map[string]any); return ok }
func hasElements(v any, _ bool) bool { list, ok := v.([]any); return ok && len(list) > 0 }
func hasTwo(v any, _ bool) bool      { list, ok := v.([]any); return ok && len(list) > 1 }
func isScalar(v any, inList bool) bool {
	return !isMap(v, inList) && reflect.ValueOf(v).Kind() != reflect.Slice
}

// A null on either side of the change may mean the same as nothing.
func unlessNull(v any) expectation {
	if v == nil {
		return byRules
	}
	return different
}

// --- configuration ---

func (m *mutator) changeValue() (expectation, bool) {
	at, ok := m.place(isScalar)
	if !ok {
		return different, false
	}
	switch v := m.get(at).(type) {
	case string:
		m.set(at, v+pick(m.r, []string{"x", " ", "\u0301", "\x00", "0"}))
	case int64:
		m.set(at, v^(1<<m.r.IntN(63)))
	case float64:
		m.set(at, v/2+0.25)
		return byRules, true // may be the same number
	case bool:
		m.set(at, !v)
	default:
		m.set(at, randomText(m.r))
	}
	return different, true
}

func (m *mutator) changeType() (expectation, bool) {
	at, ok := m.place(anyPlace)
	if !ok {
		return different, false
	}
	switch v := m.get(at).(type) {
	case string:
		m.set(at, pick(m.r, []any{[]any{v}, map[string]any{v: v}, int64(0), false}))
	case map[string]any:
		m.set(at, []any{v})
	case []any:
		m.set(at, map[string]any{"0": v})
	case nil:
		m.set(at, pick(m.r, []any{"", "null", false, int64(0), map[string]any{}, []any{}}))
	default:
		m.set(at, fmt.Sprint(v))
	}
	return different, true
}

func (m *mutator) removeKey() (expectation, bool) {
	at, ok := m.place(inMap)
	if !ok {
		return different, false
	}
	value := m.get(at)
	delete(m.get(at[:len(at)-1]).(map[string]any), at[len(at)-1].(string))
	return unlessNull(value), true
}

func (m *mutator) addWith(value any, want expectation) (expectation, bool) {
	at, ok := m.place(isMap)
	if !ok {
		return want, false
	}
	key := randomKey(m.r)
	there := m.get(at).(map[string]any)
	if _, taken := there[key]; taken {
		return want, false
	}
	there[key] = value
	return want, true
}

func (m *mutator) addKey() (expectation, bool) {
	value := randomValue(m.r, 2)
	return m.addWith(value, unlessNull(value))
}

func (m *mutator) addNull() (expectation, bool) { return m.addWith(nil, byRules) }
func (m *mutator) addEmpty() (expectation, bool) {
	return m.addWith(pick(m.r, []any{map[string]any{}, []any{}, ""}), different)
}

func (m *mutator) nullProperty() (expectation, bool) {
	at, ok := m.place(inMap)
	if !ok {
		return byRules, false
	}
	m.set(at, nil)
	return byRules, true
}

func (m *mutator) renameKey() (expectation, bool) {
	at, ok := m.place(inMap)
	if !ok {
		return different, false
	}
	value := m.get(at)
	key := at[len(at)-1].(string)
	there := m.get(at[:len(at)-1]).(map[string]any)
	other := pick(m.r, []string{key + "x", key + " ", "X" + key, key + "\u0301"})
	if _, taken := there[other]; taken || (len(at) == 1 && (isMeta(other) || other == "status")) {
		return different, false
	}
	delete(there, key)
	there[other] = value
	return unlessNull(value), true
}

func (m *mutator) removeElement() (expectation, bool) {
	at, ok := m.place(hasElements)
	if !ok {
		return different, false
	}
	list := m.get(at).([]any)
	i := m.r.IntN(len(list))
	m.set(at, append(append([]any{}, list[:i]...), list[i+1:]...))
	return different, true
}

func (m *mutator) addElement() (expectation, bool) {
	at, ok := m.place(hasElements)
	if !ok {
		return different, false
	}
	list := m.get(at).([]any)
	m.set(at, append(append([]any{}, list...), pick(m.r, []any{list[0], nil, "", map[string]any{}})))
	return different, true
}

func (m *mutator) swapElements() (expectation, bool) {
	at, ok := m.place(hasTwo)
	if !ok {
		return different, false
	}
	list := m.get(at).([]any)
	i := m.r.IntN(len(list) - 1)
	list[i], list[i+1] = list[i+1], list[i]
	return byRules, true // they may be equal
}

// A part becomes a member of a map elsewhere, and is gone where it was.
func (m *mutator) move() (expectation, bool) {
	from, ok := m.place(func(v any, inList bool) bool { return !inList && v != nil })
	to, also := m.place(isMap)
	if !ok || !also || len(to) >= len(from) {
		return different, false
	}
	value := m.get(from)
	there := m.get(to).(map[string]any)
	if _, taken := there["moved"]; taken {
		return different, false
	}
	delete(m.get(from[:len(from)-1]).(map[string]any), from[len(from)-1].(string))
	there["moved"] = value
	return different, true
}

// --- metadata ---

func (m *mutator) metadata() map[string]any { return m.object["metadata"].(map[string]any) }

func (m *mutator) tags(key string) map[string]any {
	tags, ok := m.metadata()[key].(map[string]any)
	if !ok {
		tags = map[string]any{}
		m.metadata()[key] = tags
	}
	return tags
}

// Adds, changes or removes one tag.
func (m *mutator) changeTag(tags map[string]any, key string, want expectation) (expectation, bool) {
	old, there := tags[key]
	if there && once(m.r, 2) {
		delete(tags, key)
		return want, true
	}
	tags[key] = randomText(m.r) + "!"
	return want, !there || old != tags[key]
}

func (m *mutator) changeLabel() (expectation, bool) {
	return m.changeTag(m.tags("labels"), pick(m.r, tagKeys), different)
}

func (m *mutator) changeAnnotation() (expectation, bool) {
	key := pick(m.r, tagKeys)
	if ignoredAnnotations[key] {
		return different, false
	}
	return m.changeTag(m.tags("annotations"), key, different)
}

func (m *mutator) changeIgnoredAnnotation() (expectation, bool) {
	return m.changeTag(m.tags("annotations"), pick(m.r, sortedKeys(ignoredAnnotations)), same)
}

func (m *mutator) changeServerField() (expectation, bool) {
	key := pick(m.r, sortedKeys(droppedMetadata))
	if once(m.r, 3) {
		delete(m.metadata(), key)
	} else {
		m.metadata()[key] = randomValue(m.r, 2)
	}
	return same, true
}

func (m *mutator) changeOwners() (expectation, bool) {
	if _, there := m.metadata()["ownerReferences"]; there {
		delete(m.metadata(), "ownerReferences")
		return different, true
	}
	m.metadata()["ownerReferences"] = []any{map[string]any{"apiVersion": "v1", "kind": "A", "name": "b", "uid": "c"}}
	return different, true
}

func (m *mutator) addMetadata() (expectation, bool) {
	key := pick(m.r, []string{"clusterName", "Labels", "x", "annotation", "ownerReference"})
	m.metadata()[key] = randomValue(m.r, 2)
	return different, true
}

func (m *mutator) emptyTags() (expectation, bool) {
	key := pick(m.r, []string{"labels", "annotations"})
	if tags, there := m.metadata()[key].(map[string]any); there && len(tags) > 0 {
		return same, false
	}
	m.metadata()[key] = pick(m.r, []any{nil, map[string]any{}})
	return same, true
}

// --- the rest ---

func (m *mutator) changeStatus() (expectation, bool) {
	m.object["status"] = map[string]any{"address": randomText(m.r), "n": int64(m.r.IntN(1000))}
	if m.drops {
		return same, true
	}
	return different, true
}

// The same, but every map in another order and every text in another spelling: `spelled` does it.
func (m *mutator) spell() (expectation, bool) { return same, true }

func (m *mutator) changeIdentity() (expectation, bool) {
	if once(m.r, 2) {
		m.parts.name += "x"
		m.metadata()["name"] = m.parts.name
	} else {
		m.parts.namespace += "x"
		m.metadata()["namespace"] = m.parts.namespace
	}
	return different, true
}

func (m *mutator) changeKind() (expectation, bool) {
	if once(m.r, 2) {
		m.parts.kind += "x"
	} else {
		m.parts.group += "x"
	}
	return different, true
}
