package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"
)

// (a) What the API server makes of an object (N12 to N18), against policy/schema and source/manifest.

type resource struct {
	kind    *kind
	version *version
	object  map[string]any
}

const defaultNamespace = "fallback"

func decode(text []byte) (any, error) {
	var v any
	err := kjson.UnmarshalCaseSensitivePreserveInts(text, &v)
	return v, err
}

func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// --- the API server ---

// Prune, null-drop, coercion of embedded resources and defaulting, in place and in the API server's order; the paths of
// what was pruned. The root's apiVersion, kind and metadata stay out of it.
func pass(s *structural.Structural, object map[string]any) ([]string, error) {
	kept := map[string]any{}
	for key, value := range object {
		if isMeta(key) {
			kept[key] = value
			delete(object, key)
		}
	}
	pruned := pruning.PruneWithOptions(object, s, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	defaulting.PruneNonNullableNullsWithoutDefaults(object, s)
	failed, unknown := objectmeta.CoerceWithOptions(nil, object, s, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	if failed != nil {
		return nil, failed
	}
	defaulting.Default(object, s)
	for key, value := range kept {
		object[key] = value
	}
	return append(pruned, unknown...), nil
}

// What the API server makes of the object's metadata; whether anything in it was unknown.
func coerceMetadata(object map[string]any) (unknown bool, err error) {
	meta, found, paths, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return false, err
	}
	if found {
		err = objectmeta.SetObjectMeta(object, meta)
	}
	return len(paths) > 0, err
}

func ownersAreValid(object map[string]any) bool {
	meta, _, err := objectmeta.GetObjectMeta(object, false)
	return err == nil && len(validation.ValidateOwnerReferences(meta.OwnerReferences, field.NewPath("metadata"))) == 0
}

// --- the accept set (N12) ---

type accepted struct {
	primary digest
	all     []digest
}

// N17, on a form.
func stripStatus(v *version, form map[string]any) {
	if v.status {
		delete(form, "status")
	}
}

// What `form`, stored, is read as in a version: N13 to N15.
func (k *kind) convert(v *version, form map[string]any) (map[string]any, error) {
	out := runtime.DeepCopyJSON(form)
	if _, err := pass(v.schema, out); err != nil {
		return nil, err
	}
	return k.dropNullsOf(out), nil
}

func (k *kind) dropNullsOf(form map[string]any) map[string]any {
	metadata := form["metadata"]
	out := dropNulls(form, k.places()).(map[string]any)
	out["metadata"] = metadata
	return out
}

func (k *kind) accept(v *version, object map[string]any, id identity) (*accepted, error) {
	written, err := k.convert(v, object)
	if err != nil {
		return nil, err
	}
	stripStatus(v, written)
	out := &accepted{}
	add := func(form map[string]any, v *version) (digest, error) {
		return normalDigest(form, id, k, v.name, false)
	}
	first, err := add(written, v)
	if err != nil || k.conversion {
		out.primary, out.all = first, []digest{first}
		return out, err
	}
	out.all = append(out.all, first)
	stored, err := k.convert(k.storage(), written)
	if err != nil {
		return nil, err
	}
	if out.primary, err = add(stored, k.storage()); err != nil {
		return nil, err
	}
	meaning := encode(nil, stored)
	for i := range k.versions {
		w := &k.versions[i]
		if !w.served || w == v {
			continue
		}
		form, err := k.convert(w, written)
		if err != nil {
			return nil, err
		}
		stripStatus(w, form)
		again, err := k.convert(k.storage(), form)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(encode(nil, again), meaning) {
			d, err := add(form, w)
			if err != nil {
				return nil, err
			}
			out.all = append(out.all, d)
		}
	}
	out.all = digestSet(out.all)
	return out, nil
}

// --- the Git side ---

var errRefused = errors.New("the API server refuses it")

// Why Git must hold this document (N13, N16, N36); "" if it must approve it.
func (s resource) problem() (string, error) {
	object := runtime.DeepCopyJSON(s.object)
	metadata, _ := object["metadata"].(map[string]any)
	for _, key := range []string{"labels", "annotations"} {
		tags, isMap := metadata[key].(map[string]any)
		if metadata[key] != nil && !isMap {
			return key, nil
		}
		for _, tag := range tags {
			if _, ok := tag.(string); !ok {
				return key, nil
			}
		}
		if _, asks := tags[breakGlass]; key == "annotations" && asks {
			return "break-glass", nil
		}
	}
	if unknown, err := coerceMetadata(object); err != nil {
		return "", errRefused
	} else if unknown {
		return "unknown metadata", nil
	}
	if s.identity(object).name == "" || !ownersAreValid(object) {
		return "", errRefused
	}
	if hasHugeInteger(object) || !s.version.served {
		return "number or version", nil
	}
	pruned, err := pass(s.version.schema, object)
	if err != nil {
		return "", errRefused
	}
	if len(pruned) > 0 {
		return "pruned", nil
	}
	return "", nil
}

// What Git must approve of this document; nil with a reason if it must hold it.
func (s resource) expected() (*accepted, string, error) {
	if why, err := s.problem(); why != "" || err != nil {
		return nil, why, err
	}
	object := runtime.DeepCopyJSON(s.object)
	if _, err := coerceMetadata(object); err != nil {
		return nil, "", err
	}
	result, err := s.kind.accept(s.version, object, s.identity(object))
	return result, "", err
}

// As the API server fills it in (N10).
func (s resource) identity(object map[string]any) identity {
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	namespace, _ := metadata["namespace"].(string)
	if !s.kind.namespaced {
		namespace = ""
	} else if namespace == "" {
		namespace = defaultNamespace
	}
	return identity{s.kind.group, s.kind.kind, namespace, name}
}

func randomResource(r *rand.Rand, w *world) resource {
	k := w.kind(r)
	v := &k.versions[r.IntN(len(k.versions))]
	return (&grower{r: r, chaos: r.IntN(3), nodes: 60}).document(k, v)
}

// A resource as Git may hold it: what Go reads of its JSON.
func (g *grower) document(k *kind, v *version) resource {
	object, err := decode(mustJSON(printable(g.resource(k, v))))
	if err != nil {
		panic(err)
	}
	return resource{k, v, object.(map[string]any)}
}

// Without the characters that Git's documents may not have (N2).
func printable(v any) any {
	switch v := v.(type) {
	case string:
		return strings.Map(func(c rune) rune {
			if (c < ' ' && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == '\ufeff' || c == '\ufffe' || c == '\uffff' || c == '\u2028' || c == '\u2029' {
				return '?'
			}
			return c
		}, v)
	case []any:
		for i := range v {
			v[i] = printable(v[i])
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			value := v[key]
			delete(v, key)
			v[printable(key).(string)] = printable(value)
		}
	}
	return v
}

// Integers beyond 64 bits: tools would change their digits, so Git may not have them (N8).
func hasHugeInteger(v any) bool {
	switch v := v.(type) {
	case float64:
		return math.Trunc(v) == v && math.Abs(v) >= 1<<63 && math.Abs(v) < 1e21
	case []any:
		return slices.ContainsFunc(v, hasHugeInteger)
	case map[string]any:
		for _, value := range v {
			if hasHugeInteger(value) {
				return true
			}
		}
	}
	return false
}

func (s resource) ask() []request {
	text := mustJSON(s.object)
	return []request{
		ask('A', []byte(s.kind.group), []byte(s.kind.kind), []byte(s.version.name), text),
		ask('M', text, []byte(defaultNamespace)),
	}
}

func (s resource) judge(answers []answer) (string, error) {
	if err := s.judgePasses(answers[0]); err != nil {
		return "different", err
	}
	if !s.kind.governable() {
		return "not governed", nil
	}
	return s.judgeManifest(answers[1])
}

// Embedded resources, which no mesh has, are held rather than coerced, also where only another version has one.
func (a answer) refusesEmbedded() bool {
	return strings.Contains(a.reason(), "embedded") || strings.Contains(a.reason(), "must be a string")
}

// The passes alone, byte for byte.
func (s resource) judgePasses(a answer) error {
	object := runtime.DeepCopyJSON(s.object)
	before := mustJSON(object)
	pruned, err := pass(s.version.schema, object)
	if !a.ok {
		if err != nil || hasHugeInteger(s.object) || a.refusesEmbedded() {
			return nil
		}
		return fmt.Errorf("policy/schema refuses it: %s\nGo makes %s", a.reason(), mustJSON(object))
	}
	if err != nil {
		return fmt.Errorf("the API server refuses it: %v", err)
	}
	if want := encode(nil, []any{object}); !bytes.Equal(a.fields[0], want) {
		return fmt.Errorf("prune, null-drop and default differ\nbefore %s\nGo  %s\nC   %s", before, mustJSON(object), canonicalText(a.fields[0]))
	}
	return samePaths(pruned, string(a.fields[1]))
}

// Keys that are not plain are written differently: then only their number counts.
func samePaths(want []string, got string) error {
	paths := strings.Fields(got)
	sort.Strings(want)
	sort.Strings(paths)
	if strings.Count(got, "\n") != len(want) {
		return fmt.Errorf("pruned: Go %q, C %q", want, got)
	}
	for _, path := range want {
		if strings.ContainsFunc(path, func(c rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.[]", c)
		}) || strings.Contains("."+strings.ReplaceAll(path, "[", ".[")+".", "..") || strings.Contains(path, "x.y") {
			return nil
		}
	}
	if !slices.Equal(paths, want) {
		return fmt.Errorf("pruned: Go %q, C %q", want, paths)
	}
	return nil
}

func (s resource) judgeManifest(a answer) (string, error) {
	want, why, err := s.expected()
	switch {
	case errors.Is(err, errRefused):
		return "refused by the API server", nil
	case !a.ok && a.refusesEmbedded():
		return "held", nil
	case err != nil:
		return "different", fmt.Errorf("the reference fails: %w", err)
	case want == nil && a.ok:
		return "different", fmt.Errorf("approved, but it must be held (%s)", why)
	case want == nil:
		return "held", nil
	case !a.ok:
		return "different", fmt.Errorf("held: %s", a.reason())
	}
	var got []digest
	for _, field := range a.fields {
		got = append(got, digest(field))
	}
	if got[0] != want.primary {
		return "different", fmt.Errorf("the primary digests differ")
	}
	if all := digestSet(got[1:]); !slices.Equal(all, want.all) {
		return "different", fmt.Errorf("the accepted digests differ: Go %x, C %x", want.all, all)
	}
	return "approved", nil
}

func smallerResources(s resource) []resource {
	var out []resource
	for _, tree := range smallerTrees(s.object) {
		object := tree.(map[string]any)
		metadata, ok := object["metadata"].(map[string]any)
		if !ok || object["kind"] != s.object["kind"] || object["apiVersion"] != s.object["apiVersion"] || metadata["name"] == nil {
			continue
		}
		out = append(out, resource{s.kind, s.version, object})
	}
	return out
}

func (s resource) show() string {
	text := fmt.Sprintf("object   %s", mustJSON(s.object))
	for _, v := range s.kind.versions {
		text += fmt.Sprintf("\n%s served %v storage %v status %v", v.name, v.served, v.storage, v.status)
		if s.kind.group == "random.example" {
			text += fmt.Sprintf("\n         %s", mustJSON(schemaText(v.schema)))
		}
	}
	return text
}

// Of a schema what the passes look at.
func schemaText(s *structural.Structural) map[string]any {
	out := map[string]any{}
	if s == nil {
		return out
	}
	if len(s.Properties) > 0 {
		properties := map[string]any{}
		for name, child := range s.Properties {
			properties[name] = schemaText(&child)
		}
		out["properties"] = properties
	}
	if s.Items != nil {
		out["items"] = schemaText(s.Items)
	}
	if more := s.AdditionalProperties; more != nil {
		out["additionalProperties"] = more.Bool
		if more.Structural != nil {
			out["additionalProperties"] = schemaText(more.Structural)
		}
	}
	if s.Default.Object != nil {
		out["default"] = s.Default.Object
	}
	for name, set := range map[string]bool{
		"nullable": s.Nullable, "x-kubernetes-preserve-unknown-fields": s.XPreserveUnknownFields,
		"x-kubernetes-embedded-resource": s.XEmbeddedResource,
	} {
		if set {
			out[name] = true
		}
	}
	return out
}

func TestSchema(t *testing.T) {
	oracle[resource]{
		world:   newWorld,
		make:    randomResource,
		ask:     resource.ask,
		judge:   resource.judge,
		smaller: smallerResources,
		show:    resource.show,
		least:   map[string]float64{"approved": 0.3, "held": 0.1},
	}.run(t)
}
