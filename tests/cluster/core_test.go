package cluster

import (
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"meshwrit.dev/tests/cluster/harness"
)

const policyFile = "meshwrit-policy.yaml"

const labelled = `
apiVersion: v1
kind: Namespace
metadata: {name: NAME, labels: {istio-injection: enabled, team: storefront}}
`

const unlabelled = `
apiVersion: v1
kind: Namespace
metadata: {name: NAME}
`

const exported = `
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: shop, annotations: {networking.istio.io/exportTo: "."}}
spec: {type: LoadBalancer, ports: [{port: 80}]}
`

const unexported = `
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: shop}
spec: {ports: [{port: 80}]}
`

const remoteCluster = `
apiVersion: v1
kind: Secret
metadata: {name: NAME, namespace: istio-system, labels: {istio/multiCluster: "true"}}
stringData: {kubeconfig: from-git}
`

// meshConfig says in Git what the API server writes otherwise: a null, an empty map, base64 with a line break and with
// bits that nobody reads.
const meshConfig = `
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-1-NAME, namespace: istio-system, labels: {}}
data: {mesh: "accessLogFile: /dev/stdout\n"}
binaryData: {logo: "YW\nJjZB=="}
immutable: null
`

const emptyConfig = `
apiVersion: v1
kind: ConfigMap
metadata: {name: istio-1-NAME, namespace: istio-system}
data: {}
binaryData: null
`

// A value of which each byte is six in what the API server sends; with oldObject a review of it has 12 MB.
var largeValue = strings.Repeat("<", 1_000_000)

var coreRows = []row{
	{name: "namespace as in git", git: labelled, do: create(), reason: "in-git", allowed: true},
	{name: "namespace with a label of no mesh more", git: labelled, do: create(at("x", "metadata", "labels", "tier")),
		reason: "in-git", allowed: true},
	{name: "namespace with injection off", git: labelled, do: create(at("disabled", "metadata", "labels", "istio-injection")),
		reason: "differs-from-git",
		says:   []string{`at metadata.labels.istio-injection: "disabled", Git has "enabled"`, "(mesh COMMIT core/"}},
	{name: "namespace with a waypoint more", git: labelled, do: create(at("wp", "metadata", "labels", "istio.io/use-waypoint")),
		reason: "differs-from-git", says: []string{`metadata.labels["istio.io/use-waypoint"]: "wp", Git has no such field`}},
	{name: "namespace that git has not", on: labelled, do: create(),
		reason: "not-in-git", says: []string{`differs from Git at metadata.labels.istio-injection: "enabled"`}},
	{name: "namespace without mesh labels", on: unlabelled, do: create(), allowed: true},
	{name: "namespace loses its label", git: labelled, live: labelled, do: patch(`{"metadata":{"labels":{"istio-injection":null}}}`),
		reason: "differs-from-git", says: []string{`metadata.labels.istio-injection: missing, Git has "enabled"`}},
	{name: "namespace gets another label", git: labelled, live: labelled, do: patch(`{"metadata":{"labels":{"team":"other"}}}`),
		reason: "in-git", allowed: true},
	{name: "label through the status of a namespace", live: unlabelled,
		do:     subresource(`{"metadata":{"labels":{"istio-injection":"enabled"}}}`, "status"),
		reason: "not-in-git", says: []string{"metadata.labels.istio-injection"}},
	{name: "status of a namespace that drifted", live: labelled,
		do:     subresource(`{"metadata":{"labels":{"team":"other"}},"status":{"phase":"Active"}}`, "status"),
		reason: "unchanged", allowed: true, warns: true},
	{name: "namespace that drifted is finalized", live: labelled, prep: deleted, do: finalize,
		reason: "unchanged", allowed: true, warns: true},
	{name: "label while a namespace is finalized", live: unlabelled, on: labelled, prep: deleted, do: finalize,
		reason: "not-in-git", says: []string{"metadata.labels.istio-injection"}},
	{name: "namespace of git is deleted", git: labelled, live: labelled, do: deletion(), reason: "still-in-git"},
	{name: "namespace with objects of git is deleted", git: inNamespace(approved), live: unlabelled, on: unlabelled, do: deletion(),
		reason: "still-in-git", says: []string{" holds 1 object of Git; remove it there first"}},
	{name: "namespace of nobody is deleted", live: unlabelled, do: deletion(), reason: "not-governed", allowed: true},

	{name: "service as in git", git: exported, do: create(), reason: "in-git", allowed: true},
	{name: "service with other ports", git: exported, do: create(at(int64(81), "spec", "ports", 0, "port")),
		reason: "in-git", allowed: true},
	{name: "service that is exported further", git: exported,
		do:     create(at("*", "metadata", "annotations", "networking.istio.io/exportTo")),
		reason: "differs-from-git", says: []string{`metadata.annotations["networking.istio.io/exportTo"]: "*", Git has "."`}},
	{name: "service without mesh fields", on: unexported, do: create(), allowed: true},
	{name: "status of a service", git: exported, live: exported,
		do:     subresource(`{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}}`, "status"),
		reason: "in-git", allowed: true},
	{name: "annotation through the status of a service", git: exported, live: exported,
		do:     subresource(`{"metadata":{"annotations":{"networking.istio.io/exportTo":"*"}}}`, "status"),
		reason: "differs-from-git", says: []string{`metadata.annotations["networking.istio.io/exportTo"]`}},
	{name: "service of git is deleted", git: exported, live: exported, do: deletion(), reason: "still-in-git"},
	{name: "service of nobody is deleted", live: unexported, do: deletion(), allowed: true},

	{name: "secret as in git with other data", git: remoteCluster, do: create(at("other", "stringData", "kubeconfig")),
		reason: "in-git", allowed: true},
	{name: "secret that git has not", on: remoteCluster, do: create(),
		reason: "not-in-git", says: []string{`metadata.labels["istio/multiCluster"]`}},
	{name: "secret of no mesh", on: remoteCluster, do: create(at(map[string]any{}, "metadata", "labels")), allowed: true},
	{name: "secret becomes one of a mesh", live: strings.Replace(remoteCluster, "istio/multiCluster", "team", 1),
		do:     patch(`{"metadata":{"labels":{"istio/multiCluster":"true"}}}`),
		reason: "not-in-git"},

	{name: "configmap as in git", git: meshConfig, do: create(), reason: "in-git", allowed: true},
	{name: "configmap applied on the server", git: meshConfig, do: apply, reason: "in-git", allowed: true},
	{name: "configmap written again", git: meshConfig, live: meshConfig, do: replace(), reason: "in-git", allowed: true},
	{name: "configmap of a megabyte", git: strings.Replace(meshConfig, "accessLogFile: /dev/stdout", largeValue, 1),
		live: meshConfig, prep: grown, do: patch(`{"metadata":{"finalizers":["example.com/a"]}}`), reason: "in-git", allowed: true},
	{name: "configmap without anything", git: emptyConfig, do: create(), reason: "in-git", allowed: true},
	{name: "configmap with another value", git: meshConfig, do: create(at("x: y\n", "data", "mesh")),
		reason: "differs-from-git", says: []string{`at data.mesh: "x: y\n", Git has "accessLogFile`}},
	{name: "configmap with other bytes", git: meshConfig, do: create(at("YWJjZQ==", "binaryData", "logo")),
		reason: "differs-from-git", says: []string{`binaryData.logo: "YWJjZQ==", Git has "YWJjZA=="`}},
	{name: "configmap of another name", on: strings.Replace(meshConfig, "istio-1-", "istio-leader-", 1), do: create(), allowed: true},
	{name: "configmap of git is deleted", git: meshConfig, live: meshConfig, do: deletion(), reason: "still-in-git"},
}

// TestCoreObjects has the API server ask about core objects, by the rules of policy/core.yaml and the conditions of the
// component; only the mode is another, so that what is wrong is refused.
func TestCoreObjects(t *testing.T) {
	for _, namespace := range []string{"shop", "istio-system"} {
		must(t, cluster.EnsureNamespace(namespace))
	}
	policy, err := os.ReadFile("../../policy/core.yaml")
	must(t, err)
	files := map[string]string{
		policyFile: strings.NewReplacer("\ngovern:\n", "\ngovern:\n- include: default\n", "mode: warn", "mode: enforce").
			Replace(string(policy)),
	}
	putInGit(coreRows, "core", files)
	options := harness.Options{Policy: policyFile}
	s := newSite(t, &options, files)
	putLive(t, coreRows)
	s.serve(t, options)
	s.register(t, (*harness.Meshwrit).Loopback)
	must(t, cluster.RegisterCore(s.url, s.meshwrit.CABundle))
	for _, r := range coreRows {
		t.Run(r.name, func(t *testing.T) { r.run(t, s) })
	}
}

func inNamespace(manifest string) string {
	return strings.Replace(manifest, "namespace: shop", "namespace: NAME", 1)
}

func subresource(change, name string) func(*unstructured.Unstructured) harness.Answer {
	return func(o *unstructured.Unstructured) harness.Answer { return cluster.Patch(o, change, name) }
}

func apply(o *unstructured.Unstructured) harness.Answer { return cluster.Apply(o) }

func finalize(o *unstructured.Unstructured) harness.Answer { return cluster.Finalize(o) }

// deleted leaves a Namespace that waits for a controller to finalize it; there is none here.
func deleted(o *unstructured.Unstructured) error { return cluster.Delete(o).Err }

// grown gives a ConfigMap the large value, by a patch that has it as it is: client-go would write six bytes for each too.
func grown(o *unstructured.Unstructured) error {
	return cluster.Patch(o, `{"data":{"mesh":"`+largeValue+`\n"}}`).Err
}
