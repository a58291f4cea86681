package harness

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// Options say what a server of meshwrit is to hold.
type Options struct {
	Repo      *Repo
	Paths     []string
	Namespace string // for manifests that name none
	Policy    string // its path in the repository; empty: the built-in one
}

// Source is the name of the one source of every server here.
const Source = "mesh"

// Interval is how often that source is polled.
const Interval = time.Second

// Meshwrit is a running `meshwrit serve`.
type Meshwrit struct {
	*process
	CABundle []byte
	AuditDir string

	dir    string
	port   int
	health string
	pool   *x509.CertPool
}

// Serve issues certificates, writes a config and starts a server. It returns once the server says that it is ready.
func (c *Cluster) Serve(o Options) (*Meshwrit, error) {
	dir, err := os.MkdirTemp(c.Dir, "meshwrit-")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	m := &Meshwrit{
		dir:      dir,
		port:     ports[0],
		health:   "http://" + loopback(ports[1]),
		AuditDir: filepath.Join(dir, "audit"),
	}
	if err := m.issue(c.meshwrit); err != nil {
		return nil, err
	}
	for _, folder := range []string{"state", "audit"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			return nil, err
		}
	}
	config, err := json.MarshalIndent(m.config(o, c.Modules.CRDFolders(), loopback(ports[1])), "", "  ")
	if err != nil {
		return nil, err
	}
	// JSON is YAML, and what needs quotes has them.
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), config, 0o600); err != nil {
		return nil, err
	}
	return m, m.start(c.meshwrit)
}

// Restart ends the server and starts it again with the same config and the same state.
func (m *Meshwrit) Restart(c *Cluster) error {
	if err := m.stop(); err != nil {
		return err
	}
	return m.start(c.meshwrit)
}

func (m *Meshwrit) start(binary string) error {
	var err error
	m.process, err = startProcess("meshwrit", m.dir, exec.Command(binary, "serve", "--config", filepath.Join(m.dir, "config.yaml")))
	if err != nil {
		return err
	}
	// SIGTERM drains: it goes on serving for as long as a cluster's endpoints take to forget it.
	m.ending = syscall.SIGINT
	if err := m.await(60*time.Second, func() error { return getOK(m.health + "/readyz") }); err != nil {
		_ = m.stop()
		return err
	}
	return nil
}

// issue has meshwrit make its own certificates.
func (m *Meshwrit) issue(binary string) error {
	cmd := exec.Command(binary, "certs", "init", "--out", filepath.Join(m.dir, "tls"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("meshwrit certs init: %w: %s", err, &stderr)
	}
	m.CABundle, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(out)))
	if err != nil {
		return fmt.Errorf("meshwrit certs init printed no base64: %w: %q", err, out)
	}
	m.pool = x509.NewCertPool()
	if !m.pool.AppendCertsFromPEM(m.CABundle) {
		return fmt.Errorf("meshwrit certs init printed no certificate: %q", out)
	}
	return nil
}

func (m *Meshwrit) config(o Options, crds []string, health string) map[string]any {
	schemas := make([]any, 0, len(crds))
	for _, folder := range crds {
		schemas = append(schemas, map[string]any{"directory": folder})
	}
	source := map[string]any{
		"name":     Source,
		"url":      o.Repo.URL(),
		"ref":      "refs/heads/main",
		"interval": Interval.String(),
	}
	if len(o.Paths) > 0 {
		source["paths"] = o.Paths
	}
	if o.Namespace != "" {
		source["namespace"] = o.Namespace
	}
	config := map[string]any{
		"apiVersion": "meshwrit.dev/v1alpha1",
		"kind":       "Config",
		"cluster":    "test",
		"listen":     loopback(m.port),
		"health":     health,
		"stateDir":   filepath.Join(m.dir, "state"),
		"tls": map[string]any{
			"certificate": filepath.Join(m.dir, "tls", "tls.crt"),
			"key":         filepath.Join(m.dir, "tls", "tls.key"),
		},
		"sources": []any{source},
		"schemas": schemas,
		"audit":   map[string]any{"directory": m.AuditDir},
	}
	if o.Policy != "" {
		config["policy"] = map[string]any{"source": Source, "path": o.Policy}
	}
	return config
}

// Loopback is the URL that the API server speaks HTTP/2 to.
func (m *Meshwrit) Loopback() string { return "https://" + loopback(m.port) }

// Named is the URL that the API server speaks HTTP/1.1 to.
func (m *Meshwrit) Named() string { return "https://" + ServiceName + ":" + strconv.Itoa(m.port) }

// Stop ends the server and complains if it had ended before or would not end.
func (m *Meshwrit) Stop() error { return m.stop() }

// PID is the supervisor's.
func (m *Meshwrit) PID() int { return m.cmd.Process.Pid }

// Log is what the server has written to standard error.
func (m *Meshwrit) Log() string { return m.log() }

// Tail is the end of that.
func (m *Meshwrit) Tail() string { return m.tail(40) }

// Ready returns the status and the body of /readyz.
func (m *Meshwrit) Ready() (int, string, error) { return get(m.health + "/readyz") }

// Metrics returns the samples of /metrics by name with labels, as they are written there.
func (m *Meshwrit) Metrics() (map[string]float64, error) {
	status, body, err := get(m.health + "/metrics")
	if err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("/metrics: status %d: %w", status, err)
	}
	samples := make(map[string]float64)
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		space := strings.LastIndexByte(line, ' ')
		if space < 0 {
			return nil, fmt.Errorf("/metrics: %q is no sample", line)
		}
		value, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("/metrics: %q: %w", line, err)
		}
		samples[line[:space]] = value
	}
	return samples, nil
}

// Ask posts a review of the object's creation straight to the server, over a connection of its own, as `dryRun`.
func (m *Meshwrit) Ask(object *unstructured.Unstructured) (*admissionv1.AdmissionResponse, error) {
	raw, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	gvk := object.GroupVersionKind()
	dry := true
	review := admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID:       types.UID(uuid.NewString()),
			Kind:      metav1.GroupVersionKind{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind},
			Resource:  metav1.GroupVersionResource{Group: gvk.Group, Version: gvk.Version, Resource: plural(gvk.Kind)},
			Name:      object.GetName(),
			Namespace: object.GetNamespace(),
			Operation: admissionv1.Create,
			UserInfo:  authenticationv1.UserInfo{Username: "cluster-test"},
			Object:    runtime.RawExtension{Raw: raw},
			DryRun:    &dry,
		},
	}
	body, err := json.Marshal(review)
	if err != nil {
		return nil, err
	}
	client := &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{RootCAs: m.pool, MinVersion: tls.VersionTLS12},
		},
	}
	resp, err := client.Post(m.Loopback()+"/validate?timeout=5s", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("POST /validate: %s", resp.Status)
	}
	var answer admissionv1.AdmissionReview
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Response == nil || answer.Response.UID != review.Request.UID {
		return nil, fmt.Errorf("POST /validate: no response to review %s", review.Request.UID)
	}
	return answer.Response, nil
}

// plural is the resource of the few kinds that Ask is used with.
func plural(kind string) string { return strings.ToLower(kind) + "s" }

func get(url string) (status int, body string, err error) {
	resp, err := plainHTTP.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return resp.StatusCode, string(content), err
}
