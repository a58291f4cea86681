package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"meshwrit.dev/tests/cluster/harness"
)

// protocols are the two that the API server speaks to a webhook. It chooses by the URL: HTTP/2 for plain loopback,
// HTTP/1.1 for every name and Service.
var protocols = []struct {
	name string
	url  func(*harness.Meshwrit) string
}{
	{"h2", (*harness.Meshwrit).Loopback},
	{"http/1.1", (*harness.Meshwrit).Named},
}

// TestDecisionTable puts all rows into one repository and one cluster, over each protocol.
func TestDecisionTable(t *testing.T) {
	for _, namespace := range []string{"shop", "finance", "meshwrit-system"} {
		must(t, cluster.EnsureNamespace(namespace))
	}
	for _, protocol := range protocols {
		t.Run(protocol.name, func(t *testing.T) {
			files := make(map[string]string)
			putInGit(rows, "decision", files)
			var options harness.Options
			s := newSite(t, &options, files)
			putLive(t, rows)
			s.serve(t, options)
			s.register(t, protocol.url)

			for _, r := range rows {
				t.Run(r.name, func(t *testing.T) { r.run(t, s) })
			}
			expectProtocol(t, s, protocol.name)
		})
	}
}

// putInGit adds what the rows have in Git to the files of a repository.
func putInGit(rows []row, folder string, files map[string]string) {
	for _, r := range rows {
		if r.git != "" {
			files[folder+"/"+r.slug()+".yaml"] = r.named(r.git)
		}
	}
}

// putLive makes what the rows find in the cluster, before anybody watches.
func putLive(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		if r.live == "" {
			continue
		}
		object := harness.MustDecode(r.named(r.live))
		must(t, cluster.Create(object).Err)
		if r.prep != nil {
			must(t, r.prep(object))
		}
	}
}

// slug is the row's name as an object can bear it.
func (r row) slug() string { return strings.ReplaceAll(strings.ToLower(r.name), " ", "-") }

func (r row) named(manifest string) string { return strings.ReplaceAll(manifest, "NAME", r.slug()) }

func (r row) run(t *testing.T, s *site) {
	text := r.on
	if text == "" {
		text = r.git
	}
	if text == "" {
		text = r.live
	}
	object := harness.MustDecode(r.named(text))
	answer := r.do(object)

	if answer.Reason != r.reason {
		t.Errorf("reason %q, want %q", answer.Reason, r.reason)
	}
	if allowed := answer.Err == nil; allowed != r.allowed {
		t.Errorf("allowed is %t, want %t", allowed, r.allowed)
	}
	for _, part := range r.says {
		part = strings.ReplaceAll(part, "COMMIT", s.commit[:7])
		if !strings.Contains(answer.Message(), part) {
			t.Errorf("the message does not have %q", part)
		}
	}
	if warned := len(answer.Warnings) > 0; warned != r.warns {
		t.Errorf("warned is %t, want %t", warned, r.warns)
	}
	if !r.allowed && r.reason != "" && !strings.Contains(answer.Message(), "denied the request: ") {
		t.Errorf("the message is not the webhook's: a denial has to give a cause")
	}
	if t.Failed() {
		t.Log(answer)
		return
	}
	if r.reason != "" {
		r.expectRecord(t, s, object)
	}
}

// expectRecord looks for the decision in meshwrit's own log. Dry runs that were let in are only counted there.
func (r row) expectRecord(t *testing.T, s *site, object *unstructured.Unstructured) {
	t.Helper()
	if r.allowed && strings.Contains(r.name, "dry run") || object.GetKind() == "CustomResourceDefinition" {
		return
	}
	verdict := "deny"
	if r.allowed {
		verdict = "allow"
	}
	err := harness.Poll(3*time.Second, func() error {
		records, err := s.meshwrit.Records()
		if err != nil {
			return err
		}
		for _, record := range records {
			if record.Reason == r.reason && record.Verdict == verdict && record.User == "admin" && record.Operation != "" &&
				record.Group == object.GroupVersionKind().Group && record.Kind == object.GetKind() &&
				record.Namespace == object.GetNamespace() && strings.HasPrefix(record.Name, object.GetName()+object.GetGenerateName()) {
				return nil
			}
		}
		return fmt.Errorf("none of %d records is a %s of %s for %q", len(records), verdict, harness.Name(object), r.reason)
	})
	if err != nil {
		t.Errorf("meshwrit's audit log: %v", err)
	}
}

// expectProtocol expects that all that the API server asked came over one protocol.
func expectProtocol(t *testing.T, s *site, protocol string) {
	t.Helper()
	samples, err := s.meshwrit.Metrics()
	must(t, err)
	for _, p := range protocols {
		count := samples[`meshwrit_http_requests_total{protocol="`+p.name+`"}`]
		if p.name == protocol && count < float64(len(rows)-1) {
			t.Errorf("%v requests over %s, want at least one for each of %d rows", count, p.name, len(rows))
		}
		if p.name != protocol && count > 0 {
			t.Errorf("%v requests over %s, want all over %s", count, p.name, protocol)
		}
	}
}
