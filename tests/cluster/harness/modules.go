package harness

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Modules are the folders of the Go modules whose CRDs and examples the tests use, as Go has put them.
type Modules struct {
	Istio   string // istio.io/api
	Gateway string // sigs.k8s.io/gateway-api
}

func findModules() (Modules, error) {
	istio, err := moduleFolder("istio.io/api")
	if err != nil {
		return Modules{}, err
	}
	gateway, err := moduleFolder("sigs.k8s.io/gateway-api")
	if err != nil {
		return Modules{}, err
	}
	return Modules{Istio: istio, Gateway: gateway}, nil
}

// CRDFolders are where the CustomResourceDefinitions are, for the cluster and for meshwrit alike. The Gateway API's
// experimental channel is the larger one: it has all kinds, and all fields that its examples use.
func (m Modules) CRDFolders() []string {
	return []string{filepath.Join(m.Istio, "kubernetes"), filepath.Join(m.Gateway, "config", "crd", "experimental")}
}

// Examples is the folder of the Gateway API's examples.
func (m Modules) Examples() string { return filepath.Join(m.Gateway, "examples") }

// moduleFolder asks for a download, not for a listing: nothing that is compiled imports these modules, so that they
// may not be there yet.
func moduleFolder(module string) (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", module)
	out, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &answer); err == nil {
		err = jsonErr
	}
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w %s", module, err, answer.Error)
	}
	return answer.Dir, nil
}
