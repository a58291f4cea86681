package cluster

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"meshwrit.dev/tests/cluster/harness"
)

// longestGap is for how long nobody may be served when a child dies.
const longestGap = time.Second

// TestKill kills a child while two clients write without a pause: one through the API server, which keeps its
// connection, and one straight to the server, with a new connection for each review.
func TestKill(t *testing.T) {
	must(t, cluster.EnsureNamespace("shop"))
	manifest, object := variant("reviews", 10)
	after, fresh := variant("reviews", 25)
	for _, role := range []string{"server", "source"} {
		t.Run(role, func(t *testing.T) {
			s := open(t, harness.Options{}, map[string]string{"reviews.yaml": manifest}, (*harness.Meshwrit).Loopback)

			writers := map[string]*writer{
				"through the API server": {write: func() error { return cluster.Create(object, harness.DryRun).Err }},
				"straight to the server": {write: func() error { return ask(s, object) }},
			}
			for _, w := range writers {
				w.start()
			}
			time.Sleep(time.Second)
			killed, err := s.meshwrit.Kill(role)
			must(t, err)
			time.Sleep(3 * time.Second)
			for name, w := range writers {
				w.stop()
				gap, failures := w.longest()
				t.Logf("%s: %d writes, %d failed, none succeeded for %s", name, len(w.ends), failures, gap)
				if gap > longestGap {
					t.Errorf("%s: no service for %s, want at most %s", name, gap, longestGap)
				}
				if role == "source" && failures > 0 {
					t.Errorf("%s: %d writes failed, the last with %v: the source serves nobody", name, failures, w.last)
				}
			}

			// Another process has the role, and does its work.
			must(t, harness.Poll(10*time.Second, func() error {
				pid, err := s.meshwrit.Child(role)
				if err == nil && pid == killed {
					err = fmt.Errorf("%d is the one that was killed", pid)
				}
				return err
			}))
			s.change(t, map[string]string{"reviews.yaml": after})
			s.await(t, fresh, true)
			expectReason(t, "what was committed afterwards", cluster.Create(fresh, harness.DryRun), "in-git", true)
		})
	}
}

func ask(s *site, object *unstructured.Unstructured) error {
	response, err := s.meshwrit.Ask(object)
	if err == nil && !response.Allowed {
		err = fmt.Errorf("refused: %v", response.AuditAnnotations)
	}
	return err
}

// writer writes one object again and again and remembers when each write ended and whether it went well.
type writer struct {
	write func() error

	done chan struct{}
	wait sync.WaitGroup

	began time.Time
	ends  []time.Time
	well  []bool
	last  error // of the last write that failed
}

func (w *writer) start() {
	w.done = make(chan struct{})
	w.began = time.Now()
	w.wait.Go(func() {
		for {
			select {
			case <-w.done:
				return
			case <-time.After(5 * time.Millisecond):
			}
			err := w.write()
			if err != nil {
				w.last = err
			}
			w.ends = append(w.ends, time.Now())
			w.well = append(w.well, err == nil)
		}
	})
}

func (w *writer) stop() {
	close(w.done)
	w.wait.Wait()
}

// longest returns the longest time without a write that went well, and how many did not.
func (w *writer) longest() (gap time.Duration, failures int) {
	last := w.began
	for i, end := range w.ends {
		if !w.well[i] {
			failures++
			continue
		}
		gap = max(gap, end.Sub(last))
		last = end
	}
	return max(gap, time.Since(last)), failures
}
