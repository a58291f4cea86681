package oracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Random CRDs: everything that a structural schema may have, in combinations that no mesh has today. What the meshes
// have that cannot be fetched as Go modules (Kuma: no status subresource, whole specs kept unknown; Consul, Linkerd:
// several versions that differ in a default) is among them.

type crdMaker struct{ r *rand.Rand }

func randomCRD(r *rand.Rand, number int) map[string]any {
	c := crdMaker{r}
	kind := fmt.Sprintf("Thing%d", number)
	versions := c.versions()
	scope := "Namespaced"
	if once(r, 4) {
		scope = "Cluster"
	}
	spec := map[string]any{
		"group": "random.example", "scope": scope, "versions": versions,
		"names": map[string]any{"kind": kind, "plural": fmt.Sprintf("thing%ds", number)},
	}
	if once(r, 8) {
		spec["conversion"] = map[string]any{"strategy": "Webhook", "webhook": map[string]any{
			"conversionReviewVersions": []any{"v1"}, "clientConfig": map[string]any{"url": "https://127.0.0.1/"}}}
	}
	return map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec,
		"metadata": map[string]any{"name": fmt.Sprintf("thing%ds.random.example", number)},
	}
}

// One to three versions; later ones are the first with something changed, or not.
func (c crdMaker) versions() []any {
	root := c.root()
	var out []any
	count := 1 + c.r.IntN(3)
	storage := c.r.IntN(count)
	status := c.r.IntN(3)
	for i := range count {
		if i > 0 && !once(c.r, 3) {
			root = c.varied(root).(map[string]any)
		}
		v := map[string]any{
			"name": fmt.Sprintf("v%d", i+1), "served": i == storage || !once(c.r, 5), "storage": i == storage,
			"schema": map[string]any{"openAPIV3Schema": root},
		}
		if status == 0 || (status == 1 && once(c.r, 2)) {
			v["subresources"] = map[string]any{"status": map[string]any{}}
		}
		out = append(out, v)
	}
	return out
}

func (c crdMaker) root() map[string]any {
	properties := map[string]any{}
	if once(c.r, 2) {
		properties["apiVersion"] = map[string]any{"type": "string"}
		properties["kind"] = map[string]any{"type": "string"}
		properties["metadata"] = map[string]any{"type": "object"}
	}
	properties["spec"] = c.node(4)
	if !once(c.r, 3) {
		properties["status"] = c.node(2)
	}
	if once(c.r, 3) {
		properties[c.name()] = c.node(2)
	}
	root := map[string]any{"type": "object", "properties": properties}
	if once(c.r, 8) {
		root["x-kubernetes-preserve-unknown-fields"] = true
	}
	return root
}

var propertyNames = []string{"a", "b", "c", "name", "value", "x-y", "x.y", "labels", "weight", "aa", "X", "é", "items"}

// Not one of those that an embedded resource treats by itself.
func (c crdMaker) name() string { return pick(c.r, propertyNames) }

func (c crdMaker) node(depth int) map[string]any {
	s := c.bare(depth)
	if once(c.r, 4) {
		s["nullable"] = true
	}
	if once(c.r, 3) && !hasEmbedded(s) {
		s["default"] = c.defaultOf(s)
	}
	return s
}

func (c crdMaker) bare(depth int) map[string]any {
	if depth == 0 {
		return c.leaf()
	}
	switch c.r.IntN(12) {
	case 0, 1, 2, 3:
		return c.object(depth)
	case 4:
		return map[string]any{"type": "object", "additionalProperties": c.node(depth - 1)}
	case 5:
		return map[string]any{"type": "object", "additionalProperties": true}
	case 6, 7, 8:
		list := map[string]any{"type": "array", "items": c.node(depth - 1)}
		if once(c.r, 5) {
			list["x-kubernetes-preserve-unknown-fields"] = true
		}
		return list
	}
	return c.leaf()
}

func (c crdMaker) object(depth int) map[string]any {
	properties := map[string]any{}
	for range 1 + c.r.IntN(4) {
		properties[c.name()] = c.node(depth - 1)
	}
	s := map[string]any{"type": "object", "properties": properties}
	if once(c.r, 5) {
		s["x-kubernetes-preserve-unknown-fields"] = true
		if once(c.r, 4) {
			s["x-kubernetes-embedded-resource"] = true
		}
	}
	return s
}

func (c crdMaker) leaf() map[string]any {
	switch c.r.IntN(9) {
	case 0:
		return map[string]any{"x-kubernetes-int-or-string": true}
	case 1:
		return map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	case 2:
		return map[string]any{"x-kubernetes-preserve-unknown-fields": true}
	case 3:
		return map[string]any{"type": "object"}
	case 4:
		return map[string]any{"type": "string", "enum": []any{"deny", "audit", "all"}}
	}
	return map[string]any{"type": pick(c.r, []string{"string", "integer", "number", "boolean"})}
}

// Mostly what the schema wants, sometimes with what is to be pruned from it.
func (c crdMaker) defaultOf(s map[string]any) any {
	if once(c.r, 30) {
		return nil
	}
	switch s["type"] {
	case "object":
		out := map[string]any{}
		if properties, ok := s["properties"].(map[string]any); ok {
			for _, name := range sortedKeys(properties) {
				if once(c.r, 3) {
					out[name] = c.defaultOf(properties[name].(map[string]any))
				}
			}
		}
		if more := randomValue(c.r, 2); once(c.r, 6) && !hasNull(more) {
			out[c.name()] = more
		}
		return out
	case "array":
		if once(c.r, 2) {
			return []any{c.defaultOf(s["items"].(map[string]any))}
		}
		return []any{}
	case "integer":
		return int64(c.r.IntN(100))
	case "number":
		return 0.5
	case "boolean":
		return once(c.r, 2)
	}
	return pick(c.r, []string{"deny", "audit", "all", ""})
}

// A null in a default, at a key of additionalProperties, goes when the stored object is read again: T_v is then not what a
// later write shows (N12). No mesh has one, and the accept set does not know of it.
func hasNull(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(v, hasNull)
	case map[string]any:
		for _, child := range v {
			if hasNull(child) {
				return true
			}
		}
	}
	return false
}

func hasEmbedded(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		if v["x-kubernetes-embedded-resource"] == true {
			return true
		}
		for _, child := range v {
			if hasEmbedded(child) {
				return true
			}
		}
	}
	return false
}

// A copy in which a node here or there is another one.
func (c crdMaker) varied(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m))
	for _, key := range sortedKeys(m) {
		out[key] = m[key]
		switch key {
		case "items":
			out[key] = c.varied(m[key])
		case "properties":
			out[key] = c.variedProperties(m[key].(map[string]any))
		case "default":
			if once(c.r, 4) {
				delete(out, key)
			}
		}
	}
	return out
}

func (c crdMaker) variedProperties(properties map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range sortedKeys(properties) {
		switch {
		case isMeta(name) || !once(c.r, 5):
			out[name] = c.varied(properties[name])
		case once(c.r, 2):
			out[name] = c.node(2)
		}
	}
	if once(c.r, 6) {
		out[c.name()] = c.node(1)
	}
	return out
}
