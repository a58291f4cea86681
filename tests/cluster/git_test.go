package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"meshwrit.dev/tests/cluster/harness"
)

// folder is a folder of manifests as a repository holds it, with one default namespace.
type folder struct {
	name      string
	namespace string
	files     map[string]string
	objects   []*unstructured.Unstructured // governed, complete with namespace, and valid to the API server
}

// TestWhatGitHolds goes through every object of the Istio samples and of the Gateway API's examples.
func TestWhatGitHolds(t *testing.T) {
	folders := append([]folder{istioFolder(t)}, gatewayFolders(t)...)
	for _, f := range folders {
		t.Run(f.name, func(t *testing.T) {
			s := open(t, harness.Options{Paths: []string{f.name}, Namespace: f.namespace}, f.files, (*harness.Meshwrit).Loopback)
			for _, way := range ways {
				t.Run(way.name, func(t *testing.T) {
					must(t, cluster.Forget(f.objects...))
					way.run(t, s, f)
				})
			}
			t.Run("deleted", func(t *testing.T) { deleteEach(t, f) })
			t.Run("elsewhere", func(t *testing.T) { createElsewhere(t, f) })
			for _, object := range f.objects {
				t.Run("altered/"+harness.Name(object), func(t *testing.T) { alterEachLeaf(t, object) })
			}
		})
	}
}

// ways are the ways in which a person or a tool brings an object into a cluster. Each begins without the objects.
var ways = []struct {
	name string
	run  func(*testing.T, *site, folder)
}{
	{"create and replace", func(t *testing.T, s *site, f folder) {
		for _, object := range f.objects {
			expectInGit(t, s, object, "create", cluster.Create(object))
			expectInGit(t, s, object, "replace", cluster.Replace(object))
		}
	}},
	{"server-side apply", func(t *testing.T, s *site, f folder) {
		for _, object := range f.objects {
			expectInGit(t, s, object, "apply that creates", cluster.Apply(object))
			expectInGit(t, s, object, "apply that changes nothing", cluster.Apply(object))
		}
	}},
	{"client-side apply", func(t *testing.T, s *site, f folder) {
		f.kubectl(t, "apply", "-R", "-f", filepath.Join(s.repo.Dir, f.name))
		must(t, cluster.Forget(f.objects...))
		f.kubectl(t, "create", "-f", f.manifest(t))
		// Now it has something to patch: the annotation in which it keeps what it applied last.
		f.kubectl(t, "apply", "-R", "-f", filepath.Join(s.repo.Dir, f.name))
	}},
	{"kubectl replace and server-side apply", func(t *testing.T, s *site, f folder) {
		f.kubectl(t, "create", "-f", f.manifest(t))
		f.kubectl(t, "replace", "-f", f.manifest(t))
		f.kubectl(t, "apply", "--server-side", "--force-conflicts", "-R", "-f", filepath.Join(s.repo.Dir, f.name))
	}},
}

func expectInGit(t *testing.T, s *site, object *unstructured.Unstructured, verb string, answer harness.Answer) {
	t.Helper()
	if answer.Err != nil || answer.Reason != "in-git" {
		t.Errorf("%s %s: %s", verb, harness.Name(object), answer)
		return
	}
	if len(answer.Digest) == 0 || len(answer.Root) == 0 || !sameCommit(answer.Commit, s.commit) {
		t.Errorf("%s %s: the API server's audit log has digest %q, root %q, commit %q; the commit is %s",
			verb, harness.Name(object), answer.Digest, answer.Root, answer.Commit, s.commit)
	}
}

// sameCommit takes an abbreviated id for what it abbreviates.
func sameCommit(said, commit string) bool { return len(said) >= 7 && strings.HasPrefix(commit, said) }

// kubectl runs one process for all objects of the folder and expects a reviewed write of each, let in because Git has it.
func (f folder) kubectl(t *testing.T, arguments ...string) {
	t.Helper()
	mark, err := cluster.KubectlMark()
	must(t, err)
	out, err := cluster.Kubectl(f.namespace, arguments...)
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s", arguments, err, out)
	}
	reasons, err := cluster.KubectlReasons(mark, len(f.objects))
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s", arguments, err, out)
	}
	for key, given := range reasons {
		for _, reason := range given {
			if reason != "in-git" {
				t.Errorf("kubectl %v: %s was let in for the reason %q", arguments, key, reason)
			}
		}
	}
}

// manifest writes the governed objects into one file: `kubectl create` would stumble over a namespace that exists.
func (f folder) manifest(t *testing.T) string {
	t.Helper()
	content, err := harness.Encode(f.objects...)
	must(t, err)
	path := filepath.Join(t.TempDir(), "manifest.yaml")
	must(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// deleteEach deletes what is live and approved.
func deleteEach(t *testing.T, f folder) {
	must(t, cluster.Forget(f.objects...))
	for _, object := range f.objects {
		must(t, cluster.Create(object).Err)
		expectReason(t, "delete "+harness.Name(object), cluster.Delete(object), "still-in-git", false)
	}
}

// createElsewhere creates what Git holds where Git does not hold it. Neither kube-system nor our own namespace is left
// alone: a VirtualService there reaches the whole mesh.
func createElsewhere(t *testing.T, f folder) {
	must(t, cluster.EnsureNamespace("meshwrit-system"))
	for _, object := range f.objects {
		renamed := object.DeepCopy()
		renamed.SetName(object.GetName() + "-copy")
		expectReason(t, "create "+harness.Name(renamed), cluster.Create(renamed), "not-in-git", false)
		if object.GetNamespace() == "" {
			continue
		}
		for _, namespace := range []string{"kube-system", "meshwrit-system"} {
			moved := object.DeepCopy()
			moved.SetNamespace(namespace)
			expectReason(t, "create "+harness.Name(moved), cluster.Create(moved), "not-in-git", false)
		}
	}
}

// alterEachLeaf gives every scalar of an object another value, one at a time, by creating it, replacing the approved
// one and applying over it; each is refused and the refusal names the field.
func alterEachLeaf(t *testing.T, object *unstructured.Unstructured) {
	verbs := []struct {
		name  string
		live  bool // whether the approved object is there
		write func(*unstructured.Unstructured, ...string) harness.Answer
	}{
		{"create", false, cluster.Create},
		{"replace", true, cluster.Replace},
		{"apply", true, cluster.Apply},
	}
	leaves := harness.Leaves(object)
	if len(leaves) == 0 {
		expectAddition(t, object)
		return
	}
	refused := 0
	for _, verb := range verbs {
		must(t, cluster.Forget(object))
		if verb.live {
			// By server-side apply: its lists are merged by key, and an item that another manager brought would stay.
			must(t, cluster.Apply(object).Err)
		}
		for _, leaf := range leaves {
			for _, changed := range leaf.Changed(object, cluster.Schema(object)) {
				answer := verb.write(changed)
				if invalid(answer) {
					continue // another value, then
				}
				if expectDiffers(t, verb.name, leaf.String(), answer) {
					refused++
				}
				break
			}
		}
	}
	must(t, cluster.Forget(object))
	if refused == 0 && !t.Failed() {
		t.Errorf("not one of %d leaves could be given another value that the API server takes", len(leaves))
	}
}

// invalid reports whether the API server itself refused the object, before it asked or without asking any webhook.
func invalid(answer harness.Answer) bool {
	return answer.Err != nil && !answer.Reviewed && !strings.Contains(answer.Message(), "webhook")
}

// expectDiffers expects a refusal that names the field.
func expectDiffers(t *testing.T, verb, field string, answer harness.Answer) bool {
	t.Helper()
	if answer.Err == nil || answer.Reason != "differs-from-git" {
		t.Errorf("%s with another %s: %s", verb, field, answer)
		return false
	}
	if !strings.Contains(answer.Message(), "differs from Git at "+field+":") {
		t.Errorf("%s with another %s: the message does not name the field: %s", verb, field, answer.Message())
	}
	return true
}

// expectAddition adds a label, for objects that hold no value to alter.
func expectAddition(t *testing.T, object *unstructured.Unstructured) {
	t.Helper()
	changed := object.DeepCopy()
	changed.SetLabels(map[string]string{"added": "true"})
	answer := cluster.Create(changed)
	if answer.Err == nil || answer.Reason != "differs-from-git" || !strings.Contains(answer.Message(), "metadata.labels") {
		t.Errorf("create with a label more: %s", answer)
	}
	must(t, cluster.Forget(object))
}

// istioFolder is the samples in testdata.
func istioFolder(t *testing.T) folder {
	t.Helper()
	const dir = "testdata/istio"
	documents, err := harness.ReadFolder(dir)
	must(t, err)
	f := newFolder(t, "clusters/prod", "shop", dir, documents)
	if len(f.objects) != len(documents) {
		t.Fatalf("%d of %d samples are valid: they are ours, and all have to be", len(f.objects), len(documents))
	}
	return f
}

// gatewayFolders spreads the Gateway API's examples: most name no namespace, and a dozen share an identity.
func gatewayFolders(t *testing.T) []folder {
	t.Helper()
	documents, err := harness.ReadFolder(cluster.Modules.Examples())
	must(t, err)
	var folders []folder
	governed, valid := 0, 0
	for i, layer := range harness.Layers(documents) {
		name := fmt.Sprintf("examples-%d", i)
		f := newFolder(t, name, name, cluster.Modules.Examples(), layer)
		folders = append(folders, f)
		valid += len(f.objects)
		for _, document := range layer {
			if cluster.Governed(document.Object) {
				governed++
			}
		}
	}
	t.Logf("Gateway API examples: %d documents, %d of them governed, %d of those valid to the API server, in %d folders",
		len(documents), governed, valid, len(folders))
	// As counted in v1.5.1. A release with other examples shows here, and the numbers are looked at again.
	if valid < 85 || governed-valid > 2 {
		t.Errorf("%d governed examples, %d valid: too few", governed, valid)
	}
	return folders
}

// newFolder takes the documents' files as they are, and learns from the API server which of the objects it would take.
// The others stay in Git: they may be there, and harm nobody.
func newFolder(t *testing.T, name, namespace, dir string, documents []harness.Document) folder {
	t.Helper()
	f := folder{name: name, namespace: namespace, files: make(map[string]string)}
	must(t, cluster.EnsureNamespace(namespace))
	for _, document := range documents {
		content, err := os.ReadFile(filepath.Join(dir, document.File))
		must(t, err)
		f.files[filepath.Join(name, document.File)] = string(content)

		object := document.Object.DeepCopy()
		if !cluster.Governed(object) {
			if object.GetKind() == "Namespace" {
				must(t, cluster.EnsureNamespace(object.GetName()))
			}
			continue
		}
		namespaced, err := cluster.Namespaced(object)
		must(t, err)
		if namespaced && object.GetNamespace() == "" {
			object.SetNamespace(namespace)
		}
		if object.GetNamespace() != "" {
			must(t, cluster.EnsureNamespace(object.GetNamespace()))
		}
		if answer := cluster.Create(object, harness.DryRun); answer.Err != nil {
			t.Logf("%s: %s is not valid: %v", document.File, harness.Name(object), answer.Err)
			continue
		}
		if !slices.ContainsFunc(f.objects, func(o *unstructured.Unstructured) bool { return harness.Name(o) == harness.Name(object) }) {
			f.objects = append(f.objects, object)
		}
	}
	return f
}
