package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
)

// auditPolicy makes the API server record each request for a mesh kind, with what the webhook annotated it with.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  verbs: [get, list, watch]
- level: None
  nonResourceURLs: ["*"]
- level: Metadata
`

// apiServer is a kube-apiserver on loopback. Its only user is "admin", of the group system:masters.
type apiServer struct {
	*process
	url   string
	token string
	ca    string // file of the certificate that it made for itself
	audit *auditLog
	undo  func() // what was done so that it can resolve ServiceName
}

func startAPIServer(dir, binary string, store *etcd) (*apiServer, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	s := &apiServer{
		url:   "https://" + loopback(ports[0]),
		token: hex.EncodeToString(secret),
		ca:    filepath.Join(dir, "apiserver.crt"),
		audit: &auditLog{path: filepath.Join(dir, "kube-audit.jsonl")},
	}
	accountKey, err := newKey()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		"tokens.csv":        []byte(s.token + `,admin,1,"system:masters"` + "\n"),
		"accounts.key":      accountKey,
		"audit-policy.yaml": []byte(auditPolicy),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	arguments := []string{
		binary,
		"--etcd-servers=" + store.url,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(ports[0]),
		"--cert-dir=" + dir,
		"--token-auth-file=" + filepath.Join(dir, "tokens.csv"),
		"--authorization-mode=RBAC",
		"--disable-admission-plugins=ServiceAccount",
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + filepath.Join(dir, "accounts.key"),
		"--service-account-signing-key-file=" + filepath.Join(dir, "accounts.key"),
		"--audit-policy-file=" + filepath.Join(dir, "audit-policy.yaml"),
		"--audit-log-path=" + s.audit.path,
	}

	cmd, undo, err := withServiceName(dir, arguments...)
	if err != nil {
		return nil, err
	}
	s.undo = undo
	if s.process, err = startProcess("kube-apiserver", dir, cmd); err != nil {
		undo()
		return nil, err
	}
	// Its certificate appears before it listens.
	if err := s.await(90*time.Second, s.ready); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *apiServer) stop() {
	if s == nil {
		return
	}
	_ = s.process.stop()
	s.undo()
}

func (s *apiServer) config() *rest.Config {
	return &rest.Config{
		Host:            s.url,
		BearerToken:     s.token,
		TLSClientConfig: rest.TLSClientConfig{CAFile: s.ca},
		QPS:             -1, // the tests' own pace
		Timeout:         30 * time.Second,
	}
}

// ready asks for readiness and for the namespaces that the server makes by itself soon after.
func (s *apiServer) ready() error {
	client, err := rest.HTTPClientFor(s.config())
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	for _, path := range []string{"/readyz", "/api/v1/namespaces/kube-system", "/api/v1/namespaces/default"} {
		resp, err := client.Get(s.url + path)
		if err != nil {
			return err
		}
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s: %s", path, resp.Status, strings.TrimSpace(string(body)))
		}
	}
	return nil
}

// newKey returns an ECDSA key in PEM, for the tokens of service accounts, of which there are none.
func newKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}
