package oracle

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
)

// (e) One thing changed in an approved object: the digest changes exactly when the rules say that it is configuration.
// Three must agree: what the change itself is known to be, the rules in Go, and our side.

type expectation int

const (
	same      expectation = iota // bookkeeping
	different                    // configuration
	byRules                      // a null: the schema says
)

// An approved document, the object that the API server makes of it, and that object with one change.
type mutation struct {
	git    resource
	name   string
	want   expectation
	before review
	after  review
}

type mutator struct {
	r      *rand.Rand
	kind   *kind
	object map[string]any
	parts  *parts
	drops  bool // status is not part of the form
}

// Each changes m.object, or says that it cannot.
var changes = []struct {
	name  string
	apply func(m *mutator) (expectation, bool)
}{
	{"a value", (*mutator).changeValue}, {"a value", (*mutator).changeValue}, {"a type", (*mutator).changeType},
	{"a key goes", (*mutator).removeKey}, {"a key comes", (*mutator).addKey}, {"a null comes", (*mutator).addNull},
	{"a property is null", (*mutator).nullProperty}, {"a key is renamed", (*mutator).renameKey},
	{"an element goes", (*mutator).removeElement}, {"an element comes", (*mutator).addElement},
	{"elements change places", (*mutator).swapElements}, {"a part moves", (*mutator).move},
	{"empty comes", (*mutator).addEmpty}, {"a label", (*mutator).changeLabel}, {"an annotation", (*mutator).changeAnnotation},
	{"bookkeeping", (*mutator).changeIgnoredAnnotation}, {"server fields", (*mutator).changeServerField},
	{"owners", (*mutator).changeOwners}, {"unknown metadata", (*mutator).addMetadata}, {"status", (*mutator).changeStatus},
	{"spelling", (*mutator).spell}, {"empty tags", (*mutator).emptyTags}, {"identity", (*mutator).changeIdentity},
	{"kind or group", (*mutator).changeKind},
}

func randomMutation(r *rand.Rand, w *world) mutation {
	git, object := randomApproved(r, w)
	out := mutation{git: git}
	if object == nil {
		return out
	}
	addServerFields(r, object)
	p := partsOf(git.kind, git.version, object)
	out.before = review{git.kind, mustJSON(p.tree())}
	for tries := 0; out.after.body == nil && tries < 50; tries++ {
		change := pick(r, changes)
		q := p
		m := &mutator{r, git.kind, runtime.DeepCopyJSON(object), &q, git.version.status}
		want, applies := change.apply(m)
		if !applies {
			continue
		}
		q.object = m.object
		out.name, out.want = change.name, want
		out.after = review{q.known(git.kind), spelled(r, q.tree())}
	}
	return out
}

// A document that Git approves, and what the API server makes of it; rarely none.
func randomApproved(r *rand.Rand, w *world) (resource, map[string]any) {
	for range 8 {
		k := w.kind(r)
		v := &k.versions[r.IntN(len(k.versions))]
		if !v.served || !k.governable() {
			continue
		}
		git := (&grower{r: r, chaos: r.IntN(8) / 7, nodes: 60}).document(k, v)
		if object, ok := git.live(); ok {
			return git, object
		}
	}
	return resource{}, nil
}

func (p parts) known(k *kind) *kind {
	if p.group != k.group || p.kind != k.kind {
		return nil
	}
	return k
}

// What the webhook sees when this document is created.
func (s resource) live() (map[string]any, bool) {
	if why, err := s.problem(); why != "" || err != nil {
		return nil, false
	}
	object := runtime.DeepCopyJSON(s.object)
	if _, err := coerceMetadata(object); err != nil {
		return nil, false
	}
	if _, err := pass(s.version.schema, object); err != nil {
		return nil, false
	}
	stripStatus(s.version, object)
	metadata := object["metadata"].(map[string]any)
	if id := s.identity(object); id.namespace != "" {
		metadata["namespace"] = id.namespace
	} else {
		delete(metadata, "namespace")
	}
	return object, true
}

func (c mutation) ask() []request {
	if c.after.body == nil {
		return nil
	}
	return []request{
		ask('M', mustJSON(c.git.object), []byte(defaultNamespace)), ask('R', c.before.body), ask('R', c.after.body),
	}
}

func (c mutation) judge(answers []answer) (string, error) {
	if c.after.body == nil {
		return "not approved", nil
	}
	if !answers[0].ok && answers[0].refusesEmbedded() {
		return "not approved", nil
	}
	if !answers[0].ok {
		return "different", fmt.Errorf("held: %s", answers[0].reason())
	}
	for i, v := range []review{c.before, c.after} {
		if _, err := v.judge(answers[1+i : 2+i]); err != nil {
			return "different", err
		}
	}
	before, after := answers[1].fields[0], answers[2].fields[0]
	changed := !bytes.Equal(before, after)
	if (changed && c.want == same) || (!changed && c.want == different) {
		return "different", fmt.Errorf("changed: %v", changed)
	}
	var approved []digest
	for _, field := range answers[0].fields[1:] {
		approved = append(approved, digest(field))
	}
	if !digest(before).in(approved) {
		return "different", fmt.Errorf("what the API server makes of the document is not approved")
	}
	if changed && digest(after).in(approved) && !c.isOtherForm(digest(after)) {
		return "different", fmt.Errorf("the changed object is approved")
	}
	if changed {
		return "changed", nil
	}
	return "unchanged", nil
}

// Whether the change made of the object what another served version shows of the same document.
func (c mutation) isOtherForm(d digest) bool {
	want, _, err := c.git.expected()
	return err == nil && want != nil && d.in(want.all)
}

func (c mutation) show() string {
	before, after := c.before.request(), c.after.request()
	return fmt.Sprintf("change: %s, at %s\nGit    %s\nbefore %s\nafter  %s",
		c.name, firstDifference(before, after), mustJSON(c.git.object), mustJSON(before), mustJSON(after))
}

func (v review) request() any {
	tree, _ := decode(v.body)
	review, _ := tree.(map[string]any)
	return review["request"]
}

// The path of what differs; "" if nothing does.
func firstDifference(a, b any) string {
	left, isMap := a.(map[string]any)
	right, both := b.(map[string]any)
	if isMap && both {
		for _, key := range sortedKeys(left) {
			if value, there := right[key]; !there {
				return "." + key
			} else if path := firstDifference(left[key], value); path != "" {
				return "." + key + path
			}
		}
		for _, key := range sortedKeys(right) {
			if _, there := left[key]; !there {
				return "." + key
			}
		}
		return ""
	}
	list, isList := a.([]any)
	other, both := b.([]any)
	if isList && both && len(list) == len(other) {
		for i := range list {
			if path := firstDifference(list[i], other[i]); path != "" {
				return fmt.Sprintf("[%d]%s", i, path)
			}
		}
		return ""
	}
	if bytes.Equal(encode(nil, a), encode(nil, b)) {
		return ""
	}
	return " "
}

func TestMutation(t *testing.T) {
	oracle[mutation]{
		world:   newWorld,
		make:    randomMutation,
		ask:     mutation.ask,
		judge:   mutation.judge,
		smaller: func(mutation) []mutation { return nil },
		show:    mutation.show,
		least:   map[string]float64{"changed": 0.3, "unchanged": 0.1},
	}.run(t)
}
