// Command kube-apiserver is the API server of the Kubernetes release that go.mod names, built from its own packages:
// the tests ask the real thing, and no image or download other than Go modules is needed for it.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
