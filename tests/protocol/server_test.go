// Package protocol holds tests of the listeners: decent and hostile clients against a server whose
// application is trivial (echo/echo_server.c). MESHWRIT_ECHO names its binary; MESHWRIT_SANITIZED is set
// when a sanitizer makes it larger and slower.
package protocol

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	sanitized = os.Getenv("MESHWRIT_SANITIZED") != ""
	folder    string
	authority *issuer
)

// What the figures are when nothing slows the server down.
const (
	memoryLimit  = 64 << 20
	closeLimit   = 2 * time.Second
	latencyLimit = 2 * time.Second
)

func slack(d time.Duration) time.Duration {
	if sanitized {
		return 10 * d
	}
	return d
}

func TestMain(m *testing.M) {
	if os.Getenv("MESHWRIT_ECHO") == "" {
		fmt.Fprintln(os.Stderr, "MESHWRIT_ECHO does not name the echo_server binary; ctest sets it")
		os.Exit(2)
	}
	var err error
	if folder, err = os.MkdirTemp("", "meshwrit-protocol-"); err != nil {
		panic(err)
	}
	authority = newIssuer("test CA")
	authority.write("server", leaf{dns: []string{"localhost"}, usage: x509.ExtKeyUsageServerAuth})
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// ---- certificates ----

type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

type leaf struct {
	name  string
	dns   []string
	usage x509.ExtKeyUsage
	ended bool
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func writePEM(name, kind string, der []byte) string {
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		panic(err)
	}
	return path
}

func newIssuer(name string) *issuer {
	key := newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, _ := x509.ParseCertificate(der)
	return &issuer{cert, key, writePEM(strings.ReplaceAll(name, " ", "-")+".crt", "CERTIFICATE", der)}
}

func (i *issuer) issue(l leaf) (certificate, key []byte) {
	k := newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: l.name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: l.dns, ExtKeyUsage: []x509.ExtKeyUsage{l.usage}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if l.usage == x509.ExtKeyUsageServerAuth {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	if l.ended {
		template.NotAfter = time.Now().Add(-time.Minute)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.cert, &k.PublicKey, i.key)
	if err != nil {
		panic(err)
	}
	keyDER, _ := x509.MarshalECPrivateKey(k)
	return der, keyDER
}

func (i *issuer) write(name string, l leaf) {
	certificate, key := i.issue(l)
	writePEM(name+".crt", "CERTIFICATE", certificate)
	writePEM(name+".key", "EC PRIVATE KEY", key)
}

func (i *issuer) client(l leaf) tls.Certificate {
	certificate, key := i.issue(l)
	k, err := x509.ParseECPrivateKey(key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: k}
}

// ---- the server ----

type server struct {
	t       *testing.T
	cmd     *exec.Cmd
	address string // TLS
	plain   string // HTTP/1.1 without TLS
	stderr  bytes.Buffer
	ended   chan struct{}
	once    sync.Once
}

func start(t *testing.T, settings ...string) *server {
	return startWith(t, nil, settings...)
}

// startWith runs the server with more environment; settings that begin with "ulimit " are the shell's.
func startWith(t *testing.T, environment []string, settings ...string) *server {
	t.Helper()
	script := `exec "$@"`
	args := []string{os.Getenv("MESHWRIT_ECHO"), filepath.Join(folder, "server.crt"), filepath.Join(folder, "server.key")}
	for _, s := range settings {
		if strings.HasPrefix(s, "ulimit ") {
			script = s + "; " + script
		} else {
			args = append(args, s)
		}
	}
	s := &server{t: t, ended: make(chan struct{})}
	s.cmd = exec.Command("/bin/sh", append([]string{"-c", script, "sh"}, args...)...)
	s.cmd.Env = append(os.Environ(), environment...)
	s.cmd.Stderr = &s.stderr
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	ports := strings.Fields(line)
	if err != nil || len(ports) != 2 {
		s.cmd.Wait()
		t.Fatalf("the server did not start: %q %v %s", line, err, s.stderr.String())
	}
	s.address, s.plain = "127.0.0.1:"+ports[0], "127.0.0.1:"+ports[1]
	go func() {
		s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(s.stop)
	return s
}

// stop ends the server and fails the test if it had anything to complain of.
func (s *server) stop() {
	s.once.Do(func() {
		if !s.alive() {
			s.t.Errorf("the server is gone: %v\n%s", s.cmd.ProcessState, s.stderr.String())
			return
		}
		s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.ended:
		case <-time.After(slack(12 * time.Second)):
			s.cmd.Process.Kill()
			<-s.ended
			s.t.Errorf("the server did not end after SIGTERM")
		}
		if !s.cmd.ProcessState.Success() || strings.Contains(s.stderr.String(), "frame") {
			s.t.Errorf("the server ended with %v\n%s", s.cmd.ProcessState, s.stderr.String())
		}
	})
}

func (s *server) alive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// memory is the most that the server ever had resident.
func (s *server) memory() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Errorf("no memory figure: %v", err)
		return 0
	}
	for _, line := range strings.Split(string(status), "\n") {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb << 10
		}
	}
	return 0
}

func (s *server) checkMemory() {
	s.t.Helper()
	if m := s.memory(); m > memoryLimit && !sanitized {
		s.t.Errorf("the server took %d MiB, more than %d", m>>20, memoryLimit>>20)
	} else {
		s.t.Logf("the server took %.1f MiB", float64(m)/(1<<20))
	}
}

// count reads one counter, e.g. meshwrit_connections_guarded_total{reset}.
func (s *server) count(name string) int {
	s.t.Helper()
	response, err := http.Get("http://" + s.plain + "/counters")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	for _, line := range strings.Split(string(text), "\n") {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			n, _ := strconv.Atoi(rest)
			return n
		}
	}
	s.t.Fatalf("no counter %s in\n%s", name, text)
	return 0
}

func guarded(reason string) string {
	return "meshwrit_connections_guarded_total{" + reason + "}"
}

func swept(reason string) string {
	return "meshwrit_connections_swept_total{" + reason + "}"
}

// ---- decent clients ----

func roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(authority.cert)
	return pool
}

func client(http2 bool) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots()}, Protocols: protocols,
			MaxIdleConnsPerHost: 25, IdleConnTimeout: 90 * time.Second,
		},
		Timeout: slack(5 * time.Second),
	}
}

func post(c *http.Client, url string, body []byte) (*http.Response, error) {
	response, err := c.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response, err
}

func mustPost(t *testing.T, c *http.Client, url string, body []byte) *http.Response {
	t.Helper()
	response, err := post(c, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 {
		t.Fatalf("%s: %s", url, response.Status)
	}
	return response
}

// honest asks all the time, over both protocols, until stopped, and notes what it suffered.
type honest struct {
	stopping atomic.Bool
	group    sync.WaitGroup
	mutex    sync.Mutex
	asked    int
	slowest  time.Duration
	failure  error
}

func (s *server) honest() *honest {
	h := new(honest)
	for _, http2 := range []bool{true, false} {
		c := client(http2)
		for range 2 {
			h.group.Add(1)
			go func() {
				defer h.group.Done()
				for !h.stopping.Load() {
					h.ask(c, "https://"+s.address+"/validate")
					time.Sleep(5 * time.Millisecond)
				}
			}()
		}
	}
	return h
}

func (h *honest) ask(c *http.Client, url string) {
	began := time.Now()
	response, err := post(c, url, bytes.Repeat([]byte("x"), 2200))
	if err == nil && response.StatusCode != 200 {
		err = fmt.Errorf("status %s", response.Status)
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.asked++
	h.slowest = max(h.slowest, time.Since(began))
	if err != nil && h.failure == nil {
		h.failure = err
	}
}

// unharmed ends it and fails the test if it did not get all its answers, in time.
func (h *honest) unharmed(t *testing.T) {
	t.Helper()
	time.Sleep(50 * time.Millisecond)
	h.stopping.Store(true)
	h.group.Wait()
	if h.failure != nil {
		t.Errorf("an honest client failed: %v", h.failure)
	}
	if h.slowest > slack(latencyLimit) {
		t.Errorf("an honest client waited for %v", h.slowest)
	}
	t.Logf("%d honest requests, the slowest took %v", h.asked, h.slowest)
}
