package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"meshwrit.dev/tests/cluster/harness"
)

// TestKubectl is what a person at a terminal meets: one command for each way of changing a live object by hand.
func TestKubectl(t *testing.T) {
	must(t, cluster.EnsureNamespace("shop"))
	manifest, object := variant("reviews", 10)
	other, _ := variant("reviews", 50)
	_, absent := variant("absent", 10)

	options := harness.Options{}
	s := newSite(t, &options, map[string]string{"reviews.yaml": manifest})
	must(t, cluster.Create(object).Err)
	must(t, cluster.Create(absent).Err)
	s.serve(t, options)
	s.register(t, (*harness.Meshwrit).Loopback)

	altered := filepath.Join(t.TempDir(), "altered.yaml")
	must(t, os.WriteFile(altered, []byte(other), 0o600))
	// kubectl opens what is live in this editor and sends what is left when it ends.
	t.Setenv("KUBE_EDITOR", `sed -i "s/weight: 10$/weight: 50/"`)

	const (
		weight  = "differs from Git at spec.http[0].route[1].weight: 50, Git has 10 (mesh "
		team    = "differs from Git at metadata.labels.team"
		owner   = `differs from Git at metadata.annotations["shop.example.com/owner"]`
		refused = "denied the request: "
	)
	for _, row := range []struct {
		command string
		reason  string
		allowed bool
		says    []string
	}{
		{"apply -f " + altered, "differs-from-git", false, []string{refused, weight}},
		{"apply --server-side --force-conflicts -f " + altered, "differs-from-git", false, []string{refused, weight}},
		{"apply --dry-run=server -f " + altered, "differs-from-git", false, []string{refused, weight}},
		{"replace -f " + altered, "differs-from-git", false, []string{refused, weight}},
		{"edit virtualservice reviews", "differs-from-git", false, []string{weight}},
		{"label virtualservice reviews team=other --overwrite", "differs-from-git", false, []string{refused, team}},
		{"annotate virtualservice reviews shop.example.com/owner=me --overwrite", "differs-from-git", false, []string{refused, owner}},
		{`patch virtualservice reviews --type=json -p [{"op":"replace","path":"/spec/http/0/route/1/weight","value":50}]`,
			"differs-from-git", false, []string{refused, weight}},
		{`patch virtualservice reviews --type=merge -p {"metadata":{"finalizers":["example.com/a"]}}`, "in-git", true, nil},
		{`patch virtualservice reviews --type=merge -p {"metadata":{"finalizers":null}}`, "in-git", true, nil},
		{"delete virtualservice reviews --wait=false", "still-in-git", false, []string{refused}},
		{"delete virtualservice absent --wait=false", "absent-from-git", true, []string{"Warning: ", "deleted"}},
	} {
		t.Run(row.command, func(t *testing.T) {
			mark, err := cluster.KubectlMark()
			must(t, err)
			out, err := cluster.Kubectl("shop", strings.Fields(row.command)...)
			if allowed := err == nil; allowed != row.allowed {
				t.Errorf("kubectl: %v, want success: %t", err, row.allowed)
			}
			for _, part := range row.says {
				if !strings.Contains(out, part) {
					t.Errorf("kubectl does not say %q", part)
				}
			}
			reasons, err := cluster.KubectlReasons(mark, 1)
			must(t, err)
			for key, given := range reasons {
				if given[0] != row.reason {
					t.Errorf("%s: reason %q, want %q", key, given, row.reason)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}
