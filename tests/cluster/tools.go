//go:build tools

package cluster

// The tests read the CRDs of Istio and the Gateway API, and the latter's examples, from these modules' folders, which
// hold no package that is imported; naming one of each keeps `go mod tidy` from dropping the modules.
import (
	_ "istio.io/api/label"
	_ "sigs.k8s.io/gateway-api/pkg/features"
)
