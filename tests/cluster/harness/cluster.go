// Package harness runs what the cluster tests need, on loopback and in a folder of its own: etcd, a kube-apiserver with
// the CRDs of Istio and the Gateway API, Git repositories, and meshwrit.
package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Cluster is an API server with its store. It has no controllers: nothing writes but the tests.
type Cluster struct {
	*Client
	Dir     string // everything that the run writes; removed by Stop
	Modules Modules

	meshwrit string // the binary under test
	kubectl  string
	schemas  map[schema.GroupVersionKind]map[string]any
	root     string // of the repository
	store    *etcd
	server   *apiServer
}

// Start brings a cluster up. What is missing on the machine makes it fail with one line.
func Start() (*Cluster, error) {
	c := &Cluster{}
	var err error
	if c.root, err = filepath.Abs("../.."); err != nil {
		return nil, err
	}
	tools := fromEnvironment("MESHWRIT_TOOLS", filepath.Join(c.root, "build", "tools"))
	c.kubectl = filepath.Join(tools, "kubectl")
	apiserver := filepath.Join(tools, "kube-apiserver")
	c.meshwrit = fromEnvironment("MESHWRIT", filepath.Join(c.root, "build", "dev", "meshwrit"))
	for program, hint := range map[string]string{
		"etcd":      "install the package etcd-server",
		"git":       "install the package git",
		apiserver:   "run tests/cluster/build",
		c.kubectl:   "run tests/cluster/build",
		c.meshwrit:  "build meshwrit, or set MESHWRIT to its path",
		c.webhook(): "it is part of this repository",
	} {
		if err := present(program); err != nil {
			return nil, fmt.Errorf("%s is missing: %s", program, hint)
		}
	}
	if c.Dir, err = os.MkdirTemp("", "meshwrit-cluster-"); err != nil {
		return nil, err
	}
	if err := c.start(apiserver); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(apiserver string) error {
	var err error
	if c.Modules, err = findModules(); err != nil {
		return err
	}
	if c.store, err = startEtcd(c.Dir); err != nil {
		return err
	}
	if c.server, err = startAPIServer(c.Dir, apiserver, c.store); err != nil {
		return err
	}
	if c.Client, err = newClient(c.server.config(), c.server.audit); err != nil {
		return err
	}
	return c.installCRDs()
}

// Stop ends all processes and removes the folder.
func (c *Cluster) Stop() {
	c.server.stop()
	c.store.stop()
	_ = os.RemoveAll(c.Dir)
}

// Tail returns the ends of the logs of etcd and the API server.
func (c *Cluster) Tail() string { return c.store.tail(15) + c.server.tail(25) }

// Forget removes objects from the store behind the back of every admission webhook, so that a test can begin again.
func (c *Cluster) Forget(objects ...*unstructured.Unstructured) error {
	for _, object := range objects {
		mapping, err := c.mapping(object)
		if err != nil {
			return err
		}
		key := []string{"/registry", mapping.Resource.Group, mapping.Resource.Resource, object.GetNamespace(), object.GetName()}
		if object.GetNamespace() == "" {
			key = append(key[:3], key[4])
		}
		if err := c.store.forget(context.Background(), strings.Join(key, "/")); err != nil {
			return err
		}
	}
	return nil
}

// ForgetAll does so for every object of the mesh kinds.
func (c *Cluster) ForgetAll() error {
	for _, group := range meshGroups {
		if err := c.store.forgetAll(context.Background(), group); err != nil {
			return err
		}
	}
	return nil
}

var meshGroups = []string{
	"extensions.istio.io", "networking.istio.io", "security.istio.io", "telemetry.istio.io",
	"gateway.networking.k8s.io", "gateway.networking.x-k8s.io",
}

// EnsureNamespace creates the namespace if it is not there.
func (c *Cluster) EnsureNamespace(name string) error {
	namespace := &unstructured.Unstructured{}
	namespace.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"})
	namespace.SetName(name)
	if _, err := c.Get(namespace); err == nil {
		return nil
	}
	return c.Create(namespace).Err
}

// installCRDs creates the CRDs and waits until the server serves their kinds.
func (c *Cluster) installCRDs() error {
	crds, err := c.readCRDs()
	if err != nil {
		return err
	}
	c.schemas = make(map[schema.GroupVersionKind]map[string]any)
	for _, crd := range crds {
		c.keepSchemas(crd)
		if err := c.Create(crd).Err; err != nil {
			return fmt.Errorf("CRD %s: %w", crd.GetName(), err)
		}
	}
	return c.awaitCRDs(crds)
}

// InstallCRD creates one more CRD and waits until the server serves its kind.
func (c *Cluster) InstallCRD(crd *unstructured.Unstructured) error {
	if err := c.Create(crd).Err; err != nil {
		return err
	}
	return c.awaitCRDs([]*unstructured.Unstructured{crd})
}

func (c *Cluster) awaitCRDs(crds []*unstructured.Unstructured) error {
	for _, crd := range crds {
		if err := Poll(60*time.Second, func() error { return c.established(crd) }); err != nil {
			return err
		}
	}
	return Poll(60*time.Second, func() error {
		if err := c.rediscover(c.server.config()); err != nil {
			return err
		}
		for _, crd := range crds {
			group, kind := crdKind(crd)
			if _, err := c.mapper.RESTMapping(schema.GroupKind{Group: group, Kind: kind}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *Cluster) readCRDs() ([]*unstructured.Unstructured, error) {
	var crds []*unstructured.Unstructured
	for _, folder := range c.Modules.CRDFolders() {
		documents, err := ReadFolder(folder)
		if err != nil {
			return nil, err
		}
		before := len(crds)
		for _, document := range documents {
			if document.Object.GetKind() == "CustomResourceDefinition" {
				crds = append(crds, document.Object)
			}
		}
		if len(crds)-before < 10 {
			return nil, fmt.Errorf("only %d CRDs in %s", len(crds)-before, folder)
		}
	}
	return crds, nil
}

func crdKind(crd *unstructured.Unstructured) (group, kind string) {
	group, _, _ = unstructured.NestedString(crd.Object, "spec", "group")
	kind, _, _ = unstructured.NestedString(crd.Object, "spec", "names", "kind")
	return group, kind
}

// keepSchemas remembers the schema of each version of a CRD.
func (c *Cluster) keepSchemas(crd *unstructured.Unstructured) {
	group, kind := crdKind(crd)
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, version := range versions {
		fields, _ := version.(map[string]any)
		name, _, _ := unstructured.NestedString(fields, "name")
		schemaOf, _, _ := unstructured.NestedMap(fields, "schema", "openAPIV3Schema")
		c.schemas[schema.GroupVersionKind{Group: group, Version: name, Kind: kind}] = schemaOf
	}
}

// Schema returns the OpenAPI schema of the object's kind and version, or nil for what is no custom resource.
func (c *Cluster) Schema(object *unstructured.Unstructured) map[string]any {
	return c.schemas[object.GroupVersionKind()]
}

// Governed reports whether the object is of a mesh kind that the cluster has.
func (c *Cluster) Governed(object *unstructured.Unstructured) bool { return c.Schema(object) != nil }

func (c *Cluster) established(crd *unstructured.Unstructured) error {
	live, err := c.Get(crd)
	if err != nil {
		return err
	}
	conditions, _, err := unstructured.NestedSlice(live.Object, "status", "conditions")
	if err != nil {
		return err
	}
	for _, condition := range conditions {
		fields, ok := condition.(map[string]any)
		if ok && fields["type"] == "Established" && fields["status"] == "True" {
			return nil
		}
	}
	return fmt.Errorf("CRD %s is not established", crd.GetName())
}

// present says whether a program can be run, or a file is there.
func present(path string) error {
	if !filepath.IsAbs(path) {
		_, err := exec.LookPath(path)
		return err
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return errors.New("it is a folder")
	}
	return err
}

func fromEnvironment(name, fallback string) string {
	value := os.Getenv(name)
	if value == "" {
		return fallback
	}
	// Relative to where tests/cluster/run was called, which has made it absolute.
	if absolute, err := filepath.Abs(value); err == nil {
		return absolute
	}
	return value
}
