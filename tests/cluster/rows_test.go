package cluster

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"meshwrit.dev/tests/cluster/harness"
)

// approved is the VirtualService that rows have in Git, under a name of its own for each.
const approved = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: NAME
  namespace: shop
  labels: {team: storefront}
  annotations: {shop.example.com/owner: storefront}
spec:
  hosts: [reviews]
  http:
  - route:
    - {destination: {host: reviews, subset: v2}, weight: 90}
    - {destination: {host: reviews, subset: v3}, weight: 10}
`

// row is one row of the decision table (design.md, section 5) as a client meets it. Rows do not share objects.
type row struct {
	name string

	git  string                                          // what Git has, if anything; NAME stands for the row's own name
	live string                                          // what is in the cluster before the webhook is registered
	prep func(*unstructured.Unstructured) error          // done to the live object, still before that
	on   string                                          // the object that the row writes, if it is neither of those
	do   func(*unstructured.Unstructured) harness.Answer // the write: on a copy of on, git or live

	reason  string   // empty: no webhook of ours is asked
	allowed bool     // zero: a row that says nothing expects a denial
	says    []string // parts of the denial
	warns   bool     // the answer carries a warning
}

var rows = []row{
	{name: "create what Git has", git: approved, do: create(),
		reason: "in-git", allowed: true},
	{name: "create it in another version", git: approved, do: create(at("networking.istio.io/v1alpha3", "apiVersion")),
		reason: "in-git", allowed: true},
	{name: "create it as a dry run", git: approved, do: dryCreate(),
		reason: "in-git", allowed: true},
	{name: "create it with another weight", git: approved, do: create(weight(50)),
		reason: "differs-from-git", says: []string{"spec.http[0].route[1].weight: 50, Git has 10", "(mesh COMMIT decision/"}},
	{name: "create it with another weight as a dry run", git: approved, do: dryCreate(weight(50)),
		reason: "differs-from-git", says: []string{"spec.http[0].route[1].weight: 50, Git has 10"}},
	{name: "create it with a field more", git: approved, do: create(at("5s", "spec", "http", 0, "timeout")),
		reason: "differs-from-git", says: []string{"spec.http[0].timeout"}},
	{name: "create it with a label more", git: approved, do: create(at("x", "metadata", "labels", "example.com/tier")),
		reason: "differs-from-git", says: []string{`metadata.labels["example.com/tier"]`}},
	{name: "create it with an owner", git: approved, do: create(at([]any{map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "1"}}, "metadata", "ownerReferences")),
		reason: "differs-from-git", says: []string{"metadata.ownerReferences"}},
	{name: "create it with the annotation of kubectl apply", git: approved,
		do:     create(at("{}", "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")),
		reason: "in-git", allowed: true},

	{name: "create what Git has not", on: approved, do: create(),
		reason: "not-in-git"},
	{name: "create what Git has under another name", git: approved, do: create(at("another", "metadata", "name")),
		reason: "not-in-git"},
	{name: "create what Git has in another namespace", git: approved, do: create(at("default", "metadata", "namespace")),
		reason: "not-in-git"},
	{name: "create in kube-system", on: approved, do: create(at("kube-system", "metadata", "namespace")),
		reason: "not-in-git"},
	{name: "create in our own namespace", on: approved, do: create(at("meshwrit-system", "metadata", "namespace")),
		reason: "not-in-git"},
	{name: "create under a generated name", on: approved,
		do:     create(at("", "metadata", "name"), at("generated-", "metadata", "generateName")),
		reason: "not-in-git"},
	{name: "create a cluster-scoped object that Git has", git: gatewayClass, do: create(),
		reason: "in-git", allowed: true},
	{name: "create another cluster-scoped object", git: gatewayClass, do: create(at("example.com/other", "spec", "controllerName")),
		reason: "differs-from-git", says: []string{"spec.controllerName"}},

	{name: "edit the spec", git: approved, live: approved, do: replace(weight(50)),
		reason: "differs-from-git", says: []string{"spec.http[0].route[1].weight: 50, Git has 10"}},
	{name: "edit a label", git: approved, live: approved, do: patch(`{"metadata":{"labels":{"team":"other"}}}`),
		reason: "differs-from-git", says: []string{"metadata.labels.team"}},
	{name: "remove a label", git: approved, live: approved, do: patch(`{"metadata":{"labels":{"team":null}}}`),
		reason: "differs-from-git", says: []string{"metadata.labels"}},
	{name: "edit an annotation", git: approved, live: approved,
		do:     patch(`{"metadata":{"annotations":{"shop.example.com/owner":"me"}}}`),
		reason: "differs-from-git", says: []string{`metadata.annotations["shop.example.com/owner"]`}},
	{name: "add a finalizer", git: approved, live: approved, do: patch(`{"metadata":{"finalizers":["example.com/a"]}}`),
		reason: "in-git", allowed: true},
	{name: "remove a finalizer", git: approved, live: approved, prep: finalizers(`["example.com/a"]`),
		do:     patch(`{"metadata":{"finalizers":null}}`),
		reason: "in-git", allowed: true},

	{name: "bring drift back to what Git has", git: approved, live: drifted, do: replace(weight(10)),
		reason: "in-git", allowed: true},
	{name: "write drift as it is", git: approved, live: drifted, do: replace(weight(70)),
		reason: "unchanged", allowed: true, warns: true},
	{name: "add a finalizer to drift", git: approved, live: drifted, do: patch(`{"metadata":{"finalizers":["example.com/a"]}}`),
		reason: "unchanged", allowed: true, warns: true},
	{name: "remove a finalizer from drift", git: approved, live: drifted, prep: finalizers(`["example.com/a"]`),
		do: patch(`{"metadata":{"finalizers":null}}`), reason: "unchanged", allowed: true, warns: true},
	{name: "let drift drift on", git: approved, live: drifted, do: replace(weight(71)),
		reason: "differs-from-git", says: []string{"spec.http[0].route[1].weight: 71, Git has 10"}},
	{name: "add a finalizer to what Git has not", live: approved, do: patch(`{"metadata":{"finalizers":["example.com/a"]}}`),
		reason: "unchanged", allowed: true, warns: true},
	{name: "remove a finalizer from what Git has not", live: approved, prep: finalizers(`["example.com/a"]`),
		do: patch(`{"metadata":{"finalizers":null}}`), reason: "unchanged", allowed: true, warns: true},
	{name: "edit what Git has not", live: approved, do: patch(`{"metadata":{"labels":{"team":"other"}}}`),
		reason: "not-in-git"},

	{name: "delete what Git has", git: approved, live: approved, do: deletion(),
		reason: "still-in-git"},
	{name: "delete it as a dry run", git: approved, live: approved, do: deletion(harness.DryRun),
		reason: "still-in-git"},
	{name: "delete it as a collection", git: alone, live: alone, do: deleteCollection,
		reason: "still-in-git"},
	{name: "delete drift", git: approved, live: drifted, do: deletion(),
		reason: "still-in-git"},
	{name: "delete what Git has not", live: approved, do: deletion(),
		reason: "absent-from-git", allowed: true, warns: true},
	{name: "finish a deletion of what Git has not", live: approved, prep: dying(`["example.com/a"]`),
		do: patch(`{"metadata":{"finalizers":null}}`), reason: "absent-from-git", allowed: true, warns: true},
	{name: "finish a deletion of what Git has", git: approved, live: approved, prep: dying(`["example.com/a"]`),
		do: patch(`{"metadata":{"finalizers":null}}`), reason: "still-in-git"},
	{name: "take one of two finalizers from a dying object", git: approved, live: approved,
		prep: dying(`["example.com/a","example.com/b"]`),
		do:   patch(`{"metadata":{"finalizers":["example.com/a"]}}`), reason: "in-git", allowed: true},

	{name: "create what is held", git: misspelt, do: create(at(nil, "spec", "htttp")),
		reason: "held", says: []string{"htttp"}},
	{name: "delete what is held", git: misspelt, live: approved, do: deletion(),
		reason: "held", says: []string{"htttp"}},

	{name: "ask for break-glass", git: approved,
		do:     create(weight(50), at(`{"reason":"r","ticket":"INC-1"}`, "metadata", "annotations", "meshwrit.dev/break-glass")),
		reason: "break-glass-refused"},
	{name: "ask for break-glass with what Git has", git: approved,
		do:     create(at(`{"reason":"r"}`, "metadata", "annotations", "meshwrit.dev/break-glass")),
		reason: "break-glass-refused"},

	{name: "delete the CRD of what Git has", on: crd("virtualservices.networking.istio.io"), do: deletion(harness.DryRun),
		reason: "still-in-git"},
	{name: "delete a CRD of which Git has nothing", on: crd("proxyconfigs.networking.istio.io"), do: deletion(harness.DryRun),
		reason: "absent-from-git", allowed: true, warns: true},
	{name: "create a ConfigMap as a dry run", on: configMap, do: dryCreate(),
		allowed: true},
}

const (
	gatewayClass = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: NAME}
spec: {controllerName: example.com/controller}
`
	configMap = `
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, namespace: shop}
data: {a: b}
`
	// alone is the only one of its kind in its namespace.
	alone = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: NAME, namespace: finance}
spec: {host: ledger}
`
	// misspelt has a field that no schema knows: the API server would drop it without a word.
	misspelt = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: NAME, namespace: shop}
spec:
  hosts: [reviews]
  htttp: [{route: [{destination: {host: reviews}}]}]
`
)

var drifted = strings.ReplaceAll(approved, "weight: 10}", "weight: 70}")

func crd(name string) string {
	return "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: " + name + "}}"
}

// edit is a change made to the object that a row writes.
type edit func(map[string]any)

// at sets the value at a path of keys and indexes, and removes it if the value is nil.
func at(value any, path ...any) edit {
	return func(root map[string]any) {
		var node any = root
		for _, step := range path[:len(path)-1] {
			switch step := step.(type) {
			case int:
				node = node.([]any)[step]
			case string:
				node = node.(map[string]any)[step]
			}
		}
		last := path[len(path)-1].(string)
		if value == nil {
			delete(node.(map[string]any), last)
			return
		}
		node.(map[string]any)[last] = value
	}
}

func weight(w int64) edit {
	return func(root map[string]any) {
		routes := root["spec"].(map[string]any)["http"].([]any)[0].(map[string]any)["route"].([]any)
		routes[1].(map[string]any)["weight"] = w
	}
}

func edited(object *unstructured.Unstructured, edits []edit) *unstructured.Unstructured {
	for _, change := range edits {
		change(object.Object)
	}
	return object
}

func create(edits ...edit) func(*unstructured.Unstructured) harness.Answer {
	return func(o *unstructured.Unstructured) harness.Answer { return cluster.Create(edited(o, edits)) }
}

func dryCreate(edits ...edit) func(*unstructured.Unstructured) harness.Answer {
	return func(o *unstructured.Unstructured) harness.Answer {
		return cluster.Create(edited(o, edits), harness.DryRun)
	}
}

func replace(edits ...edit) func(*unstructured.Unstructured) harness.Answer {
	return func(o *unstructured.Unstructured) harness.Answer { return cluster.Replace(edited(o, edits)) }
}

func patch(change string) func(*unstructured.Unstructured) harness.Answer {
	return func(o *unstructured.Unstructured) harness.Answer { return cluster.Patch(o, change) }
}

func deletion(options ...string) func(*unstructured.Unstructured) harness.Answer {
	return func(o *unstructured.Unstructured) harness.Answer { return cluster.Delete(o, options...) }
}

func deleteCollection(o *unstructured.Unstructured) harness.Answer {
	return cluster.DeleteCollection(o)
}

// finalizers gives a live object finalizers.
func finalizers(list string) func(*unstructured.Unstructured) error {
	return func(o *unstructured.Unstructured) error {
		return cluster.Patch(o, `{"metadata":{"finalizers":`+list+`}}`).Err
	}
}

// dying gives it finalizers and deletes it: it stays, with a deletionTimestamp, until they are gone.
func dying(list string) func(*unstructured.Unstructured) error {
	return func(o *unstructured.Unstructured) error {
		if err := finalizers(list)(o); err != nil {
			return err
		}
		return cluster.Delete(o).Err
	}
}
