package oracle

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
)

// Random JSON values, as Go's decoder would hand them out.

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// True once in n.
func once(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

var texts = []string{
	"", "a", "b", "reviews", "true", "null", "~", "80", "1.0", "5s", "1000ms", "*", "/api/v1", "x.y/z", "é", "日本", "😀",
	"<&>", "a\"b\\c", "line\nbreak", "tab\t", "\u2028", "\x00", "\x7f", " lead", "trail ", "- x", "a: b", "#c", "yes", "on",
	"2001-12-14", "0x1F", "1e3", "-0", "=", "<<", "{}", "[]", "%", "@", "`", "very long text that goes on and on for a while",
	"\u0080", "e\u0301", "ﬁ", "\ufeff", "a b",
}

func randomText(r *rand.Rand) string {
	switch r.IntN(24) {
	case 0: // something rare at any distance from the ends, for readers that take many bytes at a time
		return strings.Repeat("x", r.IntN(70)) + pick(r, texts) + strings.Repeat("y", r.IntN(70))
	case 1, 2, 3, 4, 5, 6, 7:
		return fmt.Sprintf("%s%d", pick(r, texts), r.IntN(100))
	}
	return pick(r, texts)
}

var keys = []string{
	"a", "b", "c", "name", "value", "spec", "status", "metadata", "kind", "apiVersion", "labels", "x-y", "x.y", "X", "é", "",
	"aaaaaaaa", "aaaaaaaab", "aaaaaaaé", "nam", "names", "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaab", "\U0001f600", "\uffff", "\n",
	"a/b", "items", "default", "type", "weight", "unknown", "aa", "a ", "\"", "<", "0", "true", "zz",
}

func randomKey(r *rand.Rand) string {
	if once(r, 5) {
		return fmt.Sprintf("k%d", r.IntN(50))
	}
	return pick(r, keys)
}

var numbers = []any{
	int64(0), int64(1), int64(-1), int64(80), int64(15001), int64(math.MaxInt64), int64(math.MinInt64),
	int64(1 << 53), int64(1<<53 + 1), int64(-1<<53 - 1), 0.5, -0.5, 1e3, 1e21, 1e300, 5e-324, -1e-7, 0.1, 1.5,
	math.Copysign(0, -1), float64(1 << 53), float64(1<<53 - 1), float64(1 << 62), float64(1 << 63), 1.7976931348623157e308,
	123456789.125, 3.0,
}

func randomNumber(r *rand.Rand) any {
	switch r.IntN(4) {
	case 0:
		return pick(r, numbers)
	case 1:
		return r.NormFloat64() * math.Pow(10, float64(r.IntN(40)-20))
	default:
		return int64(r.IntN(2000) - 100)
	}
}

func randomScalar(r *rand.Rand) any {
	switch r.IntN(8) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2, 3, 4:
		return randomNumber(r)
	default:
		return randomText(r)
	}
}

// Any value, nested up to `depth`.
func randomValue(r *rand.Rand, depth int) any {
	if depth == 0 || once(r, 2) {
		return randomScalar(r)
	}
	if once(r, 2) {
		list := make([]any, r.IntN(4))
		for i := range list {
			list[i] = randomValue(r, depth-1)
		}
		return list
	}
	return randomMap(r, depth-1, 4)
}

func randomMap(r *rand.Rand, depth, most int) map[string]any {
	m := map[string]any{}
	for range r.IntN(most) {
		m[randomKey(r)] = randomValue(r, depth)
	}
	return m
}

// --- by a schema ---

// How far from its schema an object may be: 0 not at all, 2 far.
type grower struct {
	r     *rand.Rand
	chaos int
	nodes int // that may still be made
}

// Once in n steps, where the object may stray; twice as often in wild ones.
func (g *grower) strays(n int) bool {
	return g.chaos > 0 && once(g.r, n/g.chaos)
}

func (g *grower) value(s *structural.Structural, depth int) any {
	g.nodes--
	if s == nil || g.strays(30) {
		return randomValue(g.r, 2)
	}
	if (s.Nullable && once(g.r, 4)) || g.strays(12) || once(g.r, 60) {
		return nil
	}
	if depth == 0 || g.nodes <= 0 {
		return g.empty(s)
	}
	switch s.Type {
	case "object":
		return g.object(s, depth)
	case "array":
		list := make([]any, g.r.IntN(4))
		for i := range list {
			list[i] = g.value(s.Items, depth-1)
		}
		return list
	}
	return g.scalar(s)
}

// What ends a branch.
func (g *grower) empty(s *structural.Structural) any {
	switch s.Type {
	case "object":
		return map[string]any{}
	case "array":
		return []any{}
	}
	return g.scalar(s)
}

func (g *grower) scalar(s *structural.Structural) any {
	if s.ValueValidation != nil && len(s.ValueValidation.Enum) > 0 && !g.strays(10) {
		return pick(g.r, s.ValueValidation.Enum).Object
	}
	switch {
	case s.XIntOrString && once(g.r, 2), s.Type == "integer":
		return int64(g.r.IntN(70000))
	case s.Type == "boolean":
		return once(g.r, 2)
	case s.Type == "number":
		return randomNumber(g.r)
	case s.Type == "string", s.XIntOrString:
		return randomText(g.r)
	}
	return randomValue(g.r, 3)
}

func (g *grower) object(s *structural.Structural, depth int) map[string]any {
	out := map[string]any{}
	names := sortedKeys(s.Properties)
	if len(names) > 0 {
		for range g.r.IntN(min(len(names), 6) + 1) {
			name := pick(g.r, names)
			child := s.Properties[name]
			out[name] = g.value(&child, depth-1)
		}
	}
	if s.AdditionalProperties != nil {
		for range g.r.IntN(4) {
			out[randomKey(g.r)] = g.value(s.AdditionalProperties.Structural, depth-1)
		}
	}
	if s.XPreserveUnknownFields && once(g.r, 2) {
		for range g.r.IntN(3) {
			out[randomKey(g.r)] = randomValue(g.r, 3)
		}
	}
	if s.XEmbeddedResource {
		g.embedded(out)
	}
	if g.strays(16) {
		out[randomKey(g.r)] = randomValue(g.r, 3)
	}
	return out
}

func (g *grower) embedded(out map[string]any) {
	out["apiVersion"], out["kind"] = "v1", "Pod"
	out["metadata"] = map[string]any{"name": "x", "labels": map[string]any{"a": "b"}}
	if g.strays(4) {
		out["metadata"] = randomValue(g.r, 2)
	}
}

// An object of a kind, in a version, with ordinary metadata.
func (g *grower) resource(k *kind, v *version) map[string]any {
	root := *v.schema
	root.Properties = make(map[string]structural.Structural, len(v.schema.Properties))
	for name, child := range v.schema.Properties {
		if !isMeta(name) {
			root.Properties[name] = child
		}
	}
	object := g.object(&root, 9)
	if spec, ok := root.Properties["spec"]; ok && !g.strays(10) {
		object["spec"] = g.value(&spec, 8)
	}
	object["apiVersion"] = k.group + "/" + v.name
	object["kind"] = k.kind
	object["metadata"] = g.metadata(k)
	return object
}

var tagKeys = []string{
	"app", "istio.io/rev", "app.kubernetes.io/managed-by", "kustomize.toolkit.fluxcd.io/name", "a.b/c", "istio.io/dry-run",
	"kubectl.kubernetes.io/last-applied-configuration", "meta.helm.sh/release-name", "meta.helm.sh/release-namespace2",
	"argocd.argoproj.io/tracking-id", "argocd.argoproj.io/sync-wave", "kapp.k14s.io/original-diff-full",
	"objectset.rio.cattle.io/id", "meshwrit.dev/other", "kapp.k14s.io/", "Kapp.k14s.io/identity",
}

func randomTags(r *rand.Rand) map[string]any {
	tags := map[string]any{}
	for range r.IntN(4) {
		tags[pick(r, tagKeys)] = randomText(r)
	}
	return tags
}

func (g *grower) metadata(k *kind) map[string]any {
	m := map[string]any{"name": fmt.Sprintf("object-%d", g.r.IntN(1000))}
	if k.namespaced && !once(g.r, 8) {
		m["namespace"] = pick(g.r, []string{"prod", "staging", "istio-system"})
	}
	for _, key := range []string{"labels", "annotations"} {
		if !once(g.r, 3) {
			m[key] = randomTags(g.r)
		}
	}
	if g.strays(3) {
		g.strangeMetadata(m)
	}
	return m
}

// What people write into metadata beside that.
func (g *grower) strangeMetadata(m map[string]any) {
	r := g.r
	list := []struct {
		key   string
		value any
	}{
		{"labels", nil}, {"labels", map[string]any{"a": nil}}, {"labels", map[string]any{"a": int64(1)}}, {"labels", []any{}},
		{"annotations", nil}, {"annotations", map[string]any{"b": true}}, {"annotations", "text"},
		{"annotations", map[string]any{breakGlass: "{}"}},
		{"creationTimestamp", nil}, {"creationTimestamp", "2024-01-01T00:00:00Z"}, {"creationTimestamp", "yesterday"},
		{"generation", int64(3)}, {"generation", 1.0}, {"uid", "u-1"}, {"resourceVersion", "12"}, {"selfLink", "/x"},
		{"generateName", "x-"}, {"finalizers", []any{}}, {"finalizers", []any{"a/b"}}, {"finalizers", nil},
		{"managedFields", []any{}}, {"deletionTimestamp", nil}, {"deletionGracePeriodSeconds", int64(5)},
		{"ownerReferences", []any{map[string]any{
			"apiVersion": "v1", "kind": "A", "name": "b", "uid": "c"}}},
		{"ownerReferences", []any{map[string]any{"apiVersion": "v1", "kind": "A", "name": "b", "uid": "c", "controller": nil, "x": "y"}}},
		{"clusterName", "x"}, {"Labels", map[string]any{}}, {"namespace", nil}, {"name", nil}, {"namespace", ""}, {"foo", nil},
	}
	for range 1 + r.IntN(2) {
		entry := pick(r, list)
		m[entry.key] = entry.value
	}
}
