package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"meshwrit.dev/tests/cluster/harness"
)

// withinOnePoll is the interval, and what fetching, building and taking up a small set may cost on a busy machine.
const withinOnePoll = harness.Interval + 2*time.Second

// variant returns the manifest of a row under a name, with a weight, and the object in it.
func variant(name string, weight int) (manifest string, object *unstructured.Unstructured) {
	manifest = strings.ReplaceAll(approved, "NAME", name)
	manifest = strings.ReplaceAll(manifest, "weight: 10}", fmt.Sprintf("weight: %d}", weight))
	return manifest, harness.MustDecode(manifest)
}

// TestNewCommit commits a change and takes an object out, under a server that keeps running.
func TestNewCommit(t *testing.T) {
	must(t, cluster.EnsureNamespace("shop"))
	before, old := variant("reviews", 10)
	after, fresh := variant("reviews", 25)
	passing, gone := variant("passing", 10)
	s := open(t, harness.Options{}, map[string]string{"reviews.yaml": before, "passing.yaml": passing},
		(*harness.Meshwrit).Loopback)
	must(t, cluster.Create(old).Err)
	must(t, cluster.Create(gone).Err)
	expectReason(t, "a change before it is committed", cluster.Replace(fresh), "differs-from-git", false)
	expectReason(t, "a deletion before it is committed", cluster.Delete(gone), "still-in-git", false)
	children := expectChildren(t, s)

	s.change(t, map[string]string{"reviews.yaml": after, "passing.yaml": ""})
	if took := s.await(t, fresh, true); took > withinOnePoll {
		t.Errorf("the commit was in force after %s, want at most %s", took, withinOnePoll)
	}
	answer := cluster.Replace(fresh)
	expectReason(t, "the change, committed", answer, "in-git", true)
	if !sameCommit(answer.Commit, s.commit) {
		t.Errorf("it was approved by commit %q, want %s", answer.Commit, s.commit)
	}
	expectReason(t, "what was approved before", cluster.Replace(old), "differs-from-git", false)
	answer = cluster.Delete(gone)
	expectReason(t, "the deletion, committed", answer, "absent-from-git", true)
	if len(answer.Warnings) == 0 {
		t.Error("it went without a warning")
	}
	if now := expectChildren(t, s); now != children {
		t.Errorf("the children are %v, they were %v: something was restarted", now, children)
	}
}

// expectChildren returns the process ids of the server and the source.
func expectChildren(t *testing.T, s *site) [2]int {
	t.Helper()
	server, err := s.meshwrit.Child("server")
	must(t, err)
	source, err := s.meshwrit.Child("source")
	must(t, err)
	return [2]int{server, source}
}

// TestBrokenCommit commits a governed document whose identity cannot be read: nobody knows what it would replace, so
// nothing of that commit comes into force, and it is said why.
func TestBrokenCommit(t *testing.T) {
	must(t, cluster.EnsureNamespace("shop"))
	before, old := variant("reviews", 10)
	after, fresh := variant("reviews", 25)
	s := open(t, harness.Options{}, map[string]string{"reviews.yaml": before}, (*harness.Meshwrit).Loopback)
	expectInForce(t, s, true)

	nameless := strings.ReplaceAll(before, "name: reviews", "labels: {app: nameless}")
	nameless = strings.Replace(nameless, "  labels: {team: storefront}\n", "", 1)
	s.change(t, map[string]string{"reviews.yaml": after, "team/nameless.yaml": nameless})
	expectInForce(t, s, false)

	expectReason(t, "what the old set has", cluster.Create(old), "in-git", true)
	expectReason(t, "what the broken commit has", cluster.Replace(fresh), "differs-from-git", false)
	expectReason(t, "a deletion of what the old set has", cluster.Delete(old), "still-in-git", false)

	// A restart finds the last good set, though Git holds nothing usable.
	must(t, s.meshwrit.Restart(cluster))
	expectReason(t, "what the old set has, after a restart", cluster.Replace(old), "in-git", true)
	expectInForce(t, s, false)

	s.change(t, map[string]string{"team/nameless.yaml": ""})
	s.await(t, fresh, true)
	expectReason(t, "what the mended commit has", cluster.Replace(fresh), "in-git", true)
	expectInForce(t, s, true)
}

// expectInForce waits until readiness, metrics and log agree on whether the newest commit is in force. The server is
// ready all along: the old set is better than none.
func expectInForce(t *testing.T, s *site, inForce bool) {
	t.Helper()
	const place = "team/nameless.yaml:"
	must(t, harness.Poll(withinOnePoll, func() error {
		status, body, err := s.meshwrit.Ready()
		if err != nil {
			return err
		}
		blamed := strings.Contains(body, "source "+harness.Source) && strings.Contains(body, place)
		if status != 200 || blamed == inForce {
			return fmt.Errorf("/readyz: status %d, %q; the commit is in force: want %t", status, body, inForce)
		}
		samples, err := s.meshwrit.Metrics()
		if err != nil {
			return err
		}
		const metric = `meshwrit_source_in_force{source="` + harness.Source + `"}`
		want := map[bool]float64{true: 1, false: 0}[inForce]
		if value, ok := samples[metric]; !ok || value != want {
			return fmt.Errorf("/metrics: %s is %v (there: %t), want %v", metric, value, ok, want)
		}
		return nil
	}))
	if !inForce && !strings.Contains(s.meshwrit.Log(), place) {
		t.Errorf("the log does not name %s", place)
	}
}

func expectReason(t *testing.T, what string, answer harness.Answer, reason string, allowed bool) {
	t.Helper()
	if answer.Reason != reason || (answer.Err == nil) != allowed {
		t.Errorf("%s: %s; want the reason %q, allowed %t", what, answer, reason, allowed)
	}
}
