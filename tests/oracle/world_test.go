package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// The modules whose CRDs are tried, with what `go mod download` must say of them, and their folders. An odd round has
// Gateway API's experimental channel, an even one the standard: both define the same kinds.
var meshes = []struct {
	module, sum string
	folders     [2][]string
}{
	{"istio.io/api@v1.31.4", "h1:AcnncYrlDj1PJkym7h88Gggkef4MAra8QpGaXRMsr+E=",
		[2][]string{{"kubernetes"}, {"kubernetes"}}},
	{"sigs.k8s.io/gateway-api@v1.5.1", "h1:RqVRIlkhLhUO8wOHKTLnTJA6o/1un4po4/6M1nRzdd0=",
		[2][]string{{"config/crd/standard"}, {"config/crd/experimental"}}},
	{"github.com/cilium/cilium@v1.20.2", "h1:dqiEGIcXc+gqCLYG/l7VCFJ8GHyb4HUrwbZOpkX5dL8=",
		[2][]string{
			{"pkg/k8s/apis/cilium.io/client/crds/v2", "pkg/k8s/apis/cilium.io/client/crds/v2alpha1"},
			{"pkg/k8s/apis/cilium.io/client/crds/v2", "pkg/k8s/apis/cilium.io/client/crds/v2alpha1"}}},
}

// Kinds that no policy may govern (policy/forbidden.c).
var runTime = map[string]bool{
	"CiliumEndpoint": true, "CiliumEndpointSlice": true, "CiliumIdentity": true, "CiliumNode": true,
	"CiliumNodeConfig": true, "CiliumPodIPPool": true, "CiliumBGPNodeConfig": true,
	"Dataplane": true, "Zone": true, "ZoneIngress": true, "ZoneEgress": true,
}

type version struct {
	name                    string
	served, storage, status bool
	schema                  *structural.Structural
}

// One CRD as the API server sees it.
type kind struct {
	group, kind, plural string
	namespaced          bool
	conversion          bool
	versions            []version
}

func (k *kind) version(name string) *version {
	for i := range k.versions {
		if k.versions[i].name == name {
			return &k.versions[i]
		}
	}
	return nil
}

func (k *kind) storage() *version {
	for i := range k.versions {
		if k.versions[i].storage {
			return &k.versions[i]
		}
	}
	return nil
}

// N17. Nothing is dropped for a kind or a version that is not known.
func (k *kind) dropsStatus(name string) bool {
	if k == nil {
		return false
	}
	v := k.version(name)
	return v != nil && v.status
}

func (k *kind) governable() bool {
	return !runTime[k.kind] && !(k.group == "kuma.io" && (strings.HasPrefix(k.kind, "Zone") || strings.HasSuffix(k.kind, "Insight")))
}

// What the subjects of a round are made of, and what their driver is started with.
type world struct {
	real      []*kind // of the meshes
	made      []*kind // random
	arguments []string
	folder    string
}

func (w *world) close() {
	if w.folder != "" {
		os.RemoveAll(w.folder)
	}
}

// Half of the time a mesh's kind.
func (w *world) kind(r *rand.Rand) *kind {
	if r.IntN(2) == 0 {
		return w.real[r.IntN(len(w.real))]
	}
	return w.made[r.IntN(len(w.made))]
}

func noWorld(uint64) (*world, error) { return &world{}, nil }

// The kinds of the meshes and, from the seed and the number of the round, random ones.
func newWorld(round uint64) (*world, error) {
	shared, err := meshesOf(round % 2)
	if err != nil {
		return nil, err
	}
	w := &world{real: shared.kinds}
	if w.folder, err = os.MkdirTemp("", "meshwrit-oracle-"); err != nil {
		return nil, err
	}
	if err := w.addRandom(rand.New(rand.NewPCG(*seed, ^round))); err != nil {
		return nil, err
	}
	policy := filepath.Join(w.folder, "policy.json")
	w.arguments = append([]string{policy}, shared.folders...)
	w.arguments = append(w.arguments, filepath.Join(w.folder, "crds"))
	return w, os.WriteFile(policy, policyFor(append(w.made, w.real...)), 0o600)
}

func (w *world) addRandom(r *rand.Rand) error {
	folder := filepath.Join(w.folder, "crds")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for i := range 48 {
		text := mustJSON(printable(randomCRD(r, i)))
		for v, err := decode(text); err != nil || hasHugeInteger(v); v, err = decode(text) {
			text = mustJSON(printable(randomCRD(r, i)))
		}
		k, err := compile(text)
		if err != nil {
			return fmt.Errorf("a random CRD: %w\n%s", err, text)
		}
		w.made = append(w.made, k)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%03d.json", i)), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// A policy that governs all of them.
func policyFor(kinds []*kind) []byte {
	groups := map[string][]string{}
	for _, k := range kinds {
		if k.governable() {
			groups[k.group] = append(groups[k.group], k.kind)
		}
	}
	var rules []any
	for _, group := range sortedKeys(groups) {
		rules = append(rules, map[string]any{"groups": []string{group}, "kinds": groups[group], "mode": "enforce"})
	}
	text, err := json.Marshal(map[string]any{"apiVersion": "meshwrit.dev/v1alpha1", "kind": "Policy", "govern": rules})
	if err != nil {
		panic(err)
	}
	return text
}

// --- the meshes ---

type meshKinds struct {
	kinds   []*kind
	folders []string
}

var meshCache [2]struct {
	once  sync.Once
	kinds meshKinds
	err   error
}

func meshesOf(channel uint64) (meshKinds, error) {
	cache := &meshCache[channel]
	cache.once.Do(func() { cache.kinds, cache.err = loadMeshes(channel) })
	return cache.kinds, cache.err
}

func loadMeshes(channel uint64) (meshKinds, error) {
	var m meshKinds
	for _, mesh := range meshes {
		folder, err := moduleFolder(mesh.module, mesh.sum)
		if err != nil {
			return m, err
		}
		for _, below := range mesh.folders[channel] {
			m.folders = append(m.folders, filepath.Join(folder, below))
		}
	}
	for _, folder := range strings.Split(*crds, ",") {
		if folder != "" {
			m.folders = append(m.folders, folder)
		}
	}
	for _, folder := range m.folders {
		before := len(m.kinds)
		if err := m.readFolder(folder); err != nil {
			return m, err
		}
		if len(m.kinds) == before {
			return m, fmt.Errorf("%s holds no CustomResourceDefinition", folder)
		}
	}
	return m, nil
}

// Where the module's files are; the Go client fetches them when it must.
func moduleFolder(module, sum string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", module)
	command.Dir = os.TempDir() // no go.mod: the module is not one of this build
	out, err := command.Output()
	var found struct{ Dir, Sum, Error string }
	if failed := json.Unmarshal(out, &found); failed != nil {
		return "", fmt.Errorf("go mod download %s: %v, %v", module, err, failed)
	}
	if found.Error != "" {
		return "", fmt.Errorf("go mod download %s: %s", module, found.Error)
	}
	if found.Sum != sum {
		return "", fmt.Errorf("%s is %s, expected %s", module, found.Sum, sum)
	}
	return found.Dir, nil
}

func (m *meshKinds) readFolder(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || (entry.IsDir() && path == folder) {
			return err
		}
		if entry.IsDir() {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".yaml") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := m.readFile(text); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
}

func (m *meshKinds) readFile(text []byte) error {
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var document map[string]any
		err := decoder.Decode(&document)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if document["kind"] != "CustomResourceDefinition" {
			continue
		}
		raw, err := json.Marshal(document)
		if err != nil {
			return err
		}
		k, err := compile(raw)
		if err != nil {
			return err
		}
		m.kinds = append(m.kinds, k)
	}
}

// --- one CRD ---

// What the API server makes of a CRD when it begins to serve it.
func compile(text []byte) (*kind, error) {
	var crd apiextensionsv1.CustomResourceDefinition
	if err := json.Unmarshal(text, &crd); err != nil {
		return nil, err
	}
	k := &kind{
		group:      crd.Spec.Group,
		kind:       crd.Spec.Names.Kind,
		plural:     crd.Spec.Names.Plural,
		namespaced: crd.Spec.Scope == apiextensionsv1.NamespaceScoped,
		conversion: crd.Spec.Conversion != nil && crd.Spec.Conversion.Strategy != apiextensionsv1.NoneConverter,
	}
	for _, v := range crd.Spec.Versions {
		var props apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &props, nil); err != nil {
			return nil, err
		}
		s, err := structural.NewStructural(&props)
		if err != nil {
			return nil, err
		}
		s = s.DeepCopy()
		if err := defaulting.PruneDefaults(s); err != nil {
			return nil, err
		}
		k.versions = append(k.versions, version{
			name: v.Name, served: v.Served, storage: v.Storage, schema: s,
			status: v.Subresources != nil && v.Subresources.Status != nil,
		})
	}
	return k, nil
}
