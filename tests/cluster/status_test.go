package cluster

import (
	"fmt"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"meshwrit.dev/tests/cluster/harness"
)

// TestStatus writes through the status subresource, first as manifests/ registers the webhook and then with a rule
// for it, as an operator has who names statusWriters.
func TestStatus(t *testing.T) {
	must(t, cluster.EnsureNamespace("shop"))
	manifest := strings.ReplaceAll(approved, "NAME", "status")
	object := harness.MustDecode(manifest)
	s := open(t, harness.Options{}, map[string]string{"status.yaml": manifest}, (*harness.Meshwrit).Loopback)
	must(t, cluster.Create(object).Err)

	covered, err := cluster.Covers("networking.istio.io", "virtualservices/status")
	must(t, err)
	expectStatus(t, object, "1", covered)

	must(t, cluster.Register(s.url, s.meshwrit.CABundle, admissionv1.RuleWithOperations{
		Operations: []admissionv1.OperationType{admissionv1.Update},
		Rule: admissionv1.Rule{
			APIGroups: []string{"networking.istio.io"}, APIVersions: []string{"*"}, Resources: []string{"virtualservices/status"},
		},
	}))
	expectStatus(t, object, "2", true)
}

// expectStatus writes a status together with a label and a weight: the former is stored, the others are dropped by the
// API server before anybody is asked.
func expectStatus(t *testing.T, object *unstructured.Unstructured, generation string, asked bool) {
	t.Helper()
	answer := cluster.Patch(object, `{"status":{"observedGeneration":`+generation+`},"metadata":{"labels":{"team":"other"}},`+
		`"spec":{"hosts":["other"]}}`, "status")
	want := ""
	if asked {
		want = "status-only"
	}
	if answer.Err != nil || answer.Reason != want {
		t.Fatalf("a status write: %s; want the reason %q", answer, want)
	}
	live, err := cluster.Get(object)
	must(t, err)
	if got := fmt.Sprint(live.Object["status"]); got != "map[observedGeneration:"+generation+"]" {
		t.Errorf("the stored status is %s", got)
	}
	if live.GetLabels()["team"] != "storefront" || fmt.Sprint(live.Object["spec"].(map[string]any)["hosts"]) != "[reviews]" {
		t.Errorf("a status write changed more than status: %v", live.Object)
	}
}
