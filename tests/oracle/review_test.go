package oracle

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// (d) The normal form and its digest (N15, N17 to N22, N25), as the webhook sees it: one AdmissionReview, read by
// policy/review and by Go.

type review struct {
	kind *kind // nil: the set does not know it
	body []byte
}

// The request of a review, by its parts.
type parts struct {
	group, kind, version, plural string
	name, namespace, subresource string
	object, old                  any
}

func partsOf(k *kind, v *version, object map[string]any) parts {
	p := parts{group: k.group, kind: k.kind, version: v.name, plural: k.plural, object: object}
	metadata, _ := object["metadata"].(map[string]any)
	p.name, _ = metadata["name"].(string)
	p.namespace, _ = metadata["namespace"].(string)
	return p
}

// The review as a tree: spelled out by whoever prints it.
func (p parts) tree() map[string]any {
	request := map[string]any{
		"uid":       "c1d6a7b0-0000-4000-8000-000000000000",
		"kind":      map[string]any{"group": p.group, "version": p.version, "kind": p.kind},
		"resource":  map[string]any{"group": p.group, "version": p.version, "resource": p.plural},
		"name":      p.name,
		"namespace": p.namespace,
		"operation": "UPDATE",
		"userInfo":  map[string]any{"username": "system:admin", "groups": []any{"system:masters"}},
		"object":    p.object,
		"oldObject": p.old,
		"dryRun":    false,
		"options":   map[string]any{"kind": "UpdateOptions", "fieldManager": "kubectl"},
	}
	if p.subresource != "" {
		request["subResource"] = p.subresource
	}
	return map[string]any{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
}

// What a server sets, whatever was sent.
func addServerFields(r *rand.Rand, object map[string]any) {
	metadata, ok := object["metadata"].(map[string]any)
	if !ok {
		return
	}
	metadata["uid"] = fmt.Sprintf("uid-%d", r.IntN(1000))
	metadata["resourceVersion"] = fmt.Sprint(r.IntN(100000))
	metadata["generation"] = int64(r.IntN(20))
	metadata["creationTimestamp"] = "2026-01-02T03:04:05Z"
	metadata["managedFields"] = []any{map[string]any{"manager": "kubectl", "operation": "Apply", "fieldsV1": map[string]any{"f:spec": map[string]any{}}}}
	if once(r, 4) {
		metadata["finalizers"] = []any{"a/b"}
	}
}

func randomReview(r *rand.Rand, w *world) review {
	k := w.kind(r)
	v := &k.versions[r.IntN(len(k.versions))]
	g := grower{r: r, chaos: r.IntN(3), nodes: 80}
	object := g.resource(k, v)
	if once(r, 2) {
		addServerFields(r, object)
	}
	if once(r, 10) {
		object[randomKey(r)] = randomValue(r, 4)
	}
	p := partsOf(k, v, object)
	if once(r, 10) {
		p.kind, k = "Unknown", nil
	}
	if once(r, 10) {
		p.subresource = pick(r, []string{"status", "scale"})
	}
	if once(r, 3) {
		old := g.resource(w.kind(r), v)
		if once(r, 2) {
			old = withKey(object, "status", map[string]any{"a": int64(1)}, false)
		}
		p.old = old
	}
	// The API server writes subResource before object, and only then does policy/review know what it is.
	if p.subresource == "" && once(r, 3) {
		return review{k, mustJSON(p.tree())}
	}
	return review{k, (&jsonWriter{r: r, front: "subResource"}).print(p.tree())}
}

func (v review) ask() []request { return []request{ask('R', v.body)} }

// What Go says of the review: the digest of its object, and whether oldObject has the same.
func (v review) expected() (want digest, same []byte, err error) {
	tree, err := decode(v.body)
	if err != nil {
		panic(err)
	}
	request := tree.(map[string]any)["request"].(map[string]any)
	kind := request["kind"].(map[string]any)
	id := identity{kind["group"].(string), kind["kind"].(string), request["namespace"].(string), request["name"].(string)}
	dropStatus := request["subResource"] == "status"
	of := func(object any) (digest, error) {
		m, ok := object.(map[string]any)
		if !ok {
			return digest{}, fmt.Errorf("not an object")
		}
		return normalDigest(m, id, v.kind, kind["version"].(string), dropStatus)
	}
	if want, err = of(request["object"]); err != nil || request["oldObject"] == nil {
		return want, nil, err
	}
	old, err := of(request["oldObject"])
	if old == want {
		return want, []byte("="), err
	}
	return want, []byte("!"), err
}

func (v review) judge(answers []answer) (string, error) {
	a := answers[0]
	want, same, err := v.expected()
	switch {
	case err != nil && a.ok:
		return "different", fmt.Errorf("Go refuses it: %v", err)
	case err != nil:
		return "refused", nil
	case !a.ok:
		return "different", fmt.Errorf("refused: %s", a.reason())
	case !bytes.Equal(a.fields[0], want[:]):
		return "different", fmt.Errorf("the digests differ: Go %x, C %x", want, a.fields[0])
	case same != nil && (len(a.fields) < 2 || !bytes.Equal(a.fields[1], same)):
		return "different", fmt.Errorf("object and oldObject: Go says %s", same)
	}
	return "equal", nil
}

func smallerReviews(v review) []review {
	tree, err := decode(v.body)
	if err != nil {
		return nil
	}
	request := tree.(map[string]any)["request"].(map[string]any)
	var out []review
	for _, key := range []string{"object", "oldObject"} {
		for _, smaller := range smallerTrees(request[key]) {
			body := withKey(tree.(map[string]any), "request", withKey(request, key, smaller, false), false)
			text := (&jsonWriter{r: rand.New(rand.NewPCG(0, 0)), front: "subResource"}).print(body)
			out = append(out, review{v.kind, text})
		}
	}
	return out
}

func TestReview(t *testing.T) {
	oracle[review]{
		world:   newWorld,
		make:    randomReview,
		ask:     review.ask,
		judge:   review.judge,
		smaller: smallerReviews,
		show:    func(v review) string { return string(v.body) },
		least:   map[string]float64{"equal": 0.7, "refused": 0.01},
	}.run(t)
}
