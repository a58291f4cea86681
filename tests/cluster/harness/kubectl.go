package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Kubectl runs kubectl with namespace as the context's default, as a person would after `kubectl config set-context`.
// It returns the exit status with what was written on both streams.
func (c *Cluster) Kubectl(namespace string, arguments ...string) (output string, err error) {
	kubeconfig, err := c.kubeconfig(namespace)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.kubectl, arguments...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "KUBECACHEDIR="+filepath.Join(c.Dir, "kubectl-cache"), "KUBERC=off")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// KubectlReasons returns the reasons that the webhook gave for what kubectl wrote since mark, by "resource/namespace/name",
// once there are at least count of them. The API server writes its log just after the response.
func (c *Cluster) KubectlReasons(mark, count int) (map[string][]string, error) {
	reasons := make(map[string][]string)
	err := Poll(5*time.Second, func() error {
		events, err := c.server.audit.writesBy("kubectl")
		if err != nil {
			return err
		}
		clear(reasons)
		found := 0
		for _, event := range events[mark:] {
			if reason := event.note("reason"); reason != "" {
				key := strings.Join([]string{event.Ref.Resource, event.Ref.Namespace, event.Ref.Name}, "/")
				reasons[key] = append(reasons[key], reason)
				found++
			}
		}
		if found < count {
			return fmt.Errorf("%d reviewed writes by kubectl, want %d: %v", found, count, reasons)
		}
		return nil
	})
	return reasons, err
}

// KubectlMark returns what KubectlReasons counts from.
func (c *Cluster) KubectlMark() (int, error) {
	events, err := c.server.audit.writesBy("kubectl")
	return len(events), err
}

func (c *Cluster) kubeconfig(namespace string) (string, error) {
	path := filepath.Join(c.Dir, "kubeconfig-"+namespace)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	content, err := json.Marshal(map[string]any{
		"apiVersion": "v1",
		"kind":       "Config",
		"clusters": []any{map[string]any{"name": "test", "cluster": map[string]any{
			"server": c.server.url, "certificate-authority": c.server.ca}}},
		"users": []any{map[string]any{"name": "admin", "user": map[string]any{"token": c.server.token}}},
		"contexts": []any{map[string]any{"name": "test", "context": map[string]any{
			"cluster": "test", "user": "admin", "namespace": namespace}}},
		"current-context": "test",
	})
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, content, 0o600)
}
