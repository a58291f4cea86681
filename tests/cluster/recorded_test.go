package cluster

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"meshwrit.dev/tests/cluster/harness"
)

// record has TestRecorded write the files that it otherwise compares with:
//
//	MESHWRIT_RECORD=1 tests/cluster/run -run TestRecorded
var record = os.Getenv("MESHWRIT_RECORD") != ""

// recorded is the folder of what is written, what Git holds of it, and what the API server asks about it. The unit
// tests decide each of these reviews (tests/unit/test_recorded.c).
const recorded = "../data/recorded"

var recorderRules = []admissionv1.RuleWithOperations{
	rule("mesh.example.com", "routes", "routes/*"),
	rule("", "namespaces", "namespaces/*", "services", "services/*", "configmaps"),
	rule("apiextensions.k8s.io", "customresourcedefinitions"),
}

func rule(group string, resources ...string) admissionv1.RuleWithOperations {
	return admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update, admissionv1.Delete},
		Rule:       admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{"*"}, Resources: resources},
	}
}

// TestRecorded writes in every way there is and holds what a webhook sees of it against the recorded files.
func TestRecorded(t *testing.T) {
	crds := read(t, "crds/routes.yaml")
	must(t, cluster.InstallCRD(crds[0]))
	r, err := cluster.Record(recorderRules, harness.MustDecode(
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: probe, namespace: default}}"))
	must(t, err)
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
		if err := cluster.Delete(crds[0]).Err; err != nil {
			t.Error(err)
		}
	})

	written := make(map[string]bool)
	for _, step := range recorderSteps(t, crds[0], read(t, "git.yaml")) {
		reviews, err := r.Reviews(func() error { return step.write().Err })
		if step.refused != "" {
			if err == nil || !strings.Contains(err.Error(), step.refused) {
				t.Errorf("want an error about %s: %v", step.refused, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if want := max(step.reviews, 1); len(reviews) != want && step.name != "" {
			t.Errorf("%s: %d reviews, want %d", step.name, len(reviews), want)
		}
		for i, review := range reviews {
			name := step.name
			if i > 0 {
				name = fmt.Sprintf("%s-%d", step.name, i+1)
			}
			if step.name != "" {
				written[name+".json"] = true
				compare(t, filepath.Join(recorded, "reviews", name+".json"), review)
			}
		}
	}
	files, err := os.ReadDir(filepath.Join(recorded, "reviews"))
	must(t, err)
	for _, file := range files {
		if !written[file.Name()] {
			t.Errorf("%s: is no longer recorded", file.Name())
		}
	}
}

// recorderStep is one write. What a step without a name causes is not recorded.
type recorderStep struct {
	name    string
	write   func() harness.Answer
	reviews int    // how many it causes; 0: one
	refused string // in the error with which the API server refuses it before anybody is asked
}

func recorderSteps(t *testing.T, crd *unstructured.Unstructured, git []*unstructured.Unstructured) []recorderStep {
	route, withNull := git[0], git[1]
	namespace := harness.MustDecode("{apiVersion: v1, kind: Namespace, metadata: {name: recorded, labels: {team: storefront}}}")
	configMap := harness.MustDecode("{apiVersion: v1, kind: ConfigMap, metadata: {name: recorded, namespace: recorded}, data: {a: b}}")
	service := harness.MustDecode("{apiVersion: v1, kind: Service, metadata: {name: recorded, namespace: recorded}, " +
		"spec: {clusterIP: None, ports: [{port: 80}]}}")
	older := edited(route.DeepCopy(), []edit{at("mesh.example.com/v1alpha1", "apiVersion")})
	second := edited(route.DeepCopy(), []edit{at("recorded-second", "metadata", "name")})
	generated := edited(route.DeepCopy(), []edit{at(nil, "metadata", "name"), at("generated-", "metadata", "generateName")})
	withStatus := edited(route.DeepCopy(), []edit{at(map[string]any{"accepted": true}, "status")})
	olderWithStatus := edited(withStatus.DeepCopy(), []edit{at("mesh.example.com/v1alpha1", "apiVersion")})
	nulled := route.DeepCopy()
	nulled.Object["spec"].(map[string]any)["mirror"] = nil
	mirrored := edited(route.DeepCopy(), []edit{at("v3", "spec", "mirror")})

	create := func(o *unstructured.Unstructured, options ...string) func() harness.Answer {
		return func() harness.Answer { return cluster.Create(o, options...) }
	}
	apply := func(o *unstructured.Unstructured) func() harness.Answer {
		return func() harness.Answer { return cluster.Apply(o) }
	}
	kubectl := func(o *unstructured.Unstructured) func() harness.Answer {
		return func() harness.Answer { return kubectlApply(t, o) }
	}
	merge := func(o *unstructured.Unstructured, patch string, subresource ...string) func() harness.Answer {
		return func() harness.Answer { return cluster.Patch(o, patch, subresource...) }
	}
	remove := func(o *unstructured.Unstructured) func() harness.Answer {
		return func() harness.Answer { return cluster.Delete(o) }
	}

	return []recorderStep{
		{name: "namespace-create", write: create(namespace)},
		{name: "namespace-update", write: merge(namespace, `{"metadata":{"labels":{"team":"other"}}}`)},
		{name: "namespace-status", write: merge(namespace,
			`{"metadata":{"labels":{"through":"status"},"annotations":{"through":"status"}}}`, "status")},
		{name: "configmap-create", write: create(configMap)},
		{write: create(service)},
		{name: "service-status", write: merge(service,
			`{"metadata":{"labels":{"through":"status"},"annotations":{"through":"status"}},"spec":{"externalName":"x"}}`, "status")},

		{name: "create-dry-run", write: create(route, harness.DryRun)},
		{name: "create", write: create(withStatus)},
		{name: "delete", write: remove(route)},
		{name: "create-without-subresource", write: create(olderWithStatus)},
		{write: remove(route)},
		{name: "create-apply-client", write: kubectl(route)},
		{name: "update-apply-client", write: kubectl(mirrored)},
		{write: remove(route)},
		{write: apply(nulled), refused: "spec.mirror"},
		{name: "create-apply-server", write: apply(route)},
		{name: "update-apply-server", write: apply(mirrored)},
		{name: "update-replace", write: func() harness.Answer { return cluster.Replace(route) }},
		{name: "null-apply-client", write: kubectl(withNull)},
		{write: remove(withNull)},
		{name: "null-apply-server", write: apply(withNull)},
		{write: remove(withNull)},
		{name: "status-subresource", write: merge(route,
			`{"status":{"accepted":true},"spec":{"host":"x"},"metadata":{"labels":{"a":"b"}}}`, "status")},
		{name: "update-merge-patch", write: merge(route, `{"spec":{"mirror":"v3"},"status":{"accepted":false}}`)},
		{name: "update-json-patch", write: func() harness.Answer {
			return cluster.PatchJSON(route, `[{"op":"remove","path":"/spec/mirror"}]`)
		}},
		{name: "status-without-subresource", write: merge(older, `{"status":{"accepted":false}}`)},

		{name: "finalizer-add", write: merge(route, `{"metadata":{"finalizers":["example.com/a"]}}`)},
		{name: "delete-with-finalizer", write: remove(route)},
		{name: "finalizer-remove", write: merge(route, `{"metadata":{"finalizers":null}}`)},

		{name: "create-generate-name", write: create(generated)},
		{write: create(second)},
		{name: "delete-collection", write: func() harness.Answer { return cluster.DeleteCollection(route) }, reviews: 2},

		{name: "crd-update", write: merge(crd, `{"metadata":{"labels":{"a":"b"}}}`)},
		{write: remove(configMap)},
		{write: remove(service)},
		{name: "namespace-delete", write: remove(namespace)},
		{name: "namespace-finalize", write: func() harness.Answer { return cluster.Finalize(finalized(namespace)) }},
	}
}

// finalized is the Namespace as it is put to its subresource: the object is gone after that.
func finalized(namespace *unstructured.Unstructured) *unstructured.Unstructured {
	object := namespace.DeepCopy()
	object.SetLabels(map[string]string{"through": "finalize"})
	object.SetAnnotations(map[string]string{"through": "finalize"})
	return object
}

func kubectlApply(t *testing.T, object *unstructured.Unstructured) harness.Answer {
	manifest, err := harness.Encode(object)
	must(t, err)
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	must(t, os.WriteFile(file, []byte(manifest), 0o600))
	out, err := cluster.Kubectl(object.GetNamespace(), "apply", "-f", file)
	if err != nil {
		err = fmt.Errorf("kubectl apply: %w: %s", err, out)
	}
	return harness.Answer{Err: err}
}

// compare holds a review against its file, or writes it there.
func compare(t *testing.T, path string, review []byte) {
	t.Helper()
	if record {
		must(t, os.WriteFile(path, review, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(review, want) {
		t.Errorf("%s: the API server sends something else now; MESHWRIT_RECORD=1 writes it:\n%s", path, review)
	}
}

func read(t *testing.T, name string) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(recorded, name))
	must(t, err)
	objects, err := harness.Decode(content)
	must(t, err)
	return objects
}
