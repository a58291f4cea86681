package harness

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Leaf is a scalar of an object's configuration.
type Leaf struct {
	steps []any // map keys and list indexes, from the root
	value any
}

// Leaves returns the scalars that are configuration: all but identity, status and the metadata that is not kept.
func Leaves(object *unstructured.Unstructured) []Leaf {
	var leaves []Leaf
	for _, key := range slices.Sorted(maps.Keys(object.Object)) {
		switch key {
		case "apiVersion", "kind", "metadata", "status":
		default:
			leaves = collect(leaves, []any{key}, object.Object[key])
		}
	}
	for _, key := range []string{"labels", "annotations"} {
		if values, ok, _ := unstructured.NestedMap(object.Object, "metadata", key); ok {
			leaves = collect(leaves, []any{"metadata", key}, values)
		}
	}
	return leaves
}

func collect(leaves []Leaf, steps []any, value any) []Leaf {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			leaves = collect(leaves, append(slices.Clone(steps), key), value[key])
		}
	case []any:
		for i, item := range value {
			leaves = collect(leaves, append(slices.Clone(steps), i), item)
		}
	case nil:
	default:
		leaves = append(leaves, Leaf{steps: steps, value: value})
	}
	return leaves
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// String returns the leaf's path as meshwrit's messages write it, e.g. spec.http[0].match[0].headers["x-a/b"].
func (l Leaf) String() string {
	var path strings.Builder
	for i, step := range l.steps {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&path, "[%d]", step)
		case string:
			switch {
			case !plainKey.MatchString(step):
				fmt.Fprintf(&path, "[%q]", step)
			case i == 0:
				path.WriteString(step)
			default:
				path.WriteString("." + step)
			}
		}
	}
	return path.String()
}

// Changed returns copies of the object in which the leaf has other values. Which of them are valid only the API server
// knows; the enumerations of the kind's schema, which may be nil, give those that have a chance where few do.
func (l Leaf) Changed(object *unstructured.Unstructured, schema map[string]any) []*unstructured.Unstructured {
	var changed []*unstructured.Unstructured
	for _, value := range l.others(schema) {
		copied := object.DeepCopy()
		set(copied.Object, l.steps, value)
		changed = append(changed, copied)
	}
	return changed
}

var number = regexp.MustCompile(`[0-9]+`)

func (l Leaf) others(schema map[string]any) []any {
	switch value := l.value.(type) {
	case bool:
		return []any{!value}
	case int64:
		return []any{value + 1, value - 1}
	case float64:
		if value == math.Trunc(value) {
			return []any{value + 1}
		}
		return []any{value + 0.25, value / 2}
	case string:
		var others []any
		for _, allowed := range enumeration(schema, l.steps) {
			if allowed != value {
				others = append(others, allowed)
			}
		}
		if len(others) > 0 {
			return others
		}
		// Another number in it keeps durations, versions, addresses and host names what they are.
		bumped := false
		other := number.ReplaceAllStringFunc(value, func(digits string) string {
			n, err := strconv.Atoi(digits)
			if err != nil || bumped {
				return digits
			}
			bumped = true
			return strconv.Itoa(n + 1)
		})
		if bumped {
			others = append(others, other)
		}
		return append(others, value+"x", "x"+value)
	default:
		return nil
	}
}

func set(node any, steps []any, value any) {
	for _, step := range steps[:len(steps)-1] {
		node = child(node, step)
	}
	switch last := steps[len(steps)-1].(type) {
	case string:
		node.(map[string]any)[last] = value
	case int:
		node.([]any)[last] = value
	}
}

func child(node any, step any) any {
	switch step := step.(type) {
	case string:
		return node.(map[string]any)[step]
	default:
		return node.([]any)[step.(int)]
	}
}

// enumeration returns the values that an OpenAPI schema allows at a path.
func enumeration(schema map[string]any, steps []any) []any {
	for _, step := range steps {
		switch step := step.(type) {
		case int:
			schema, _, _ = unstructured.NestedMap(schema, "items")
		case string:
			next, ok, _ := unstructured.NestedMap(schema, "properties", step)
			if !ok {
				next, _, _ = unstructured.NestedMap(schema, "additionalProperties")
			}
			schema = next
		}
	}
	values, _, _ := unstructured.NestedSlice(schema, "enum")
	return values
}
