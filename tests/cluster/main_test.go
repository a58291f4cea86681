// Package cluster asks a real API server: what Git holds is let in by every way of writing, and nothing else is.
package cluster

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"meshwrit.dev/tests/cluster/harness"
)

// cluster is started once for all tests: an API server takes seconds to come up, and each test begins with an empty
// store of mesh objects, a repository and a server of meshwrit of its own.
var cluster *harness.Cluster

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	began := time.Now()
	var err error
	if cluster, err = harness.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "tests/cluster:", err)
		return 1
	}
	defer cluster.Stop()
	go stopOnSignal()
	fmt.Printf("the cluster was up after %.1f s\n", time.Since(began).Seconds())

	status := m.Run()
	if status != 0 {
		fmt.Fprint(os.Stderr, cluster.Tail())
	}
	return status
}

// stopOnSignal leaves nothing behind when somebody loses patience.
func stopOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	<-signals
	cluster.Stop()
	os.Exit(1)
}

// site is what one test works with: a repository and a server that reads it.
type site struct {
	repo     *harness.Repo
	meshwrit *harness.Meshwrit
	url      string
	commit   string
}

// open commits files (path to content) into a repository and has a server of meshwrit read it and the API server ask
// it. The store is empty of mesh objects when it returns, and everything ends with the test.
func open(t *testing.T, options harness.Options, files map[string]string, url func(*harness.Meshwrit) string) *site {
	t.Helper()
	s := newSite(t, &options, files)
	s.serve(t, options)
	s.register(t, url)
	return s
}

// newSite makes the repository and empties the store; no server runs yet.
func newSite(t *testing.T, options *harness.Options, files map[string]string) *site {
	t.Helper()
	s := &site{}
	var err error
	s.repo, err = harness.NewRepo(t.TempDir())
	must(t, err)
	options.Repo = s.repo
	s.change(t, files)
	must(t, cluster.ForgetAll())
	return s
}

func (s *site) serve(t *testing.T, options harness.Options) {
	t.Helper()
	var err error
	s.meshwrit, err = cluster.Serve(options)
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.meshwrit.Tail())
		}
		if err := s.meshwrit.Stop(); err != nil {
			t.Error(err)
		}
	})
}

func (s *site) register(t *testing.T, url func(*harness.Meshwrit) string) {
	t.Helper()
	s.url = url(s.meshwrit)
	must(t, cluster.Register(s.url, s.meshwrit.CABundle))
	// Cleanups run last in first out: the API server stops asking before the server ends.
	t.Cleanup(func() {
		if err := cluster.Unregister(); err != nil {
			t.Error(err)
		}
	})
}

// change writes files into the repository and commits them; empty content removes a file.
func (s *site) change(t *testing.T, files map[string]string) {
	t.Helper()
	for path, content := range files {
		must(t, s.repo.Write(path, content))
	}
	var err error
	s.commit, err = s.repo.Commit("test")
	must(t, err)
}

// await waits until the server lets the creation of object in, or refuses it, as said, and returns how long that took.
func (s *site) await(t *testing.T, object *unstructured.Unstructured, allowed bool) time.Duration {
	t.Helper()
	began := time.Now()
	must(t, harness.Poll(20*time.Second, func() error {
		response, err := s.meshwrit.Ask(object)
		if err != nil {
			return err
		}
		if response.Allowed != allowed {
			return fmt.Errorf("%s: allowed is %t, the reason %q", harness.Name(object), response.Allowed,
				response.AuditAnnotations["reason"])
		}
		return nil
	}))
	return time.Since(began)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
