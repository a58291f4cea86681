package protocol

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// openTLS opens a connection and tells whether the server took it.
func openTLS(s *server) (*tls.Conn, bool) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: slack(500 * time.Millisecond)}, "tcp", s.address,
		&tls.Config{RootCAs: roots(), NextProtos: []string{"http/1.1"}})
	return conn, err == nil
}

func testCap(t *testing.T, s *server, limit int, reason string) {
	var open []*tls.Conn
	for range limit + 30 {
		if conn, taken := openTLS(s); taken {
			open = append(open, conn)
		}
	}
	if len(open) != limit {
		t.Errorf("%d connections were taken, want %d", len(open), limit)
	}
	if reason != "" {
		open[0].Close()
		time.Sleep(slack(100 * time.Millisecond))
		if n := s.count("meshwrit_connections_refused_total{" + reason + "}"); n < 25 {
			t.Errorf("%d were refused for %q", n, reason)
		}
	}
	for _, conn := range open {
		conn.Close()
	}
	time.Sleep(slack(200 * time.Millisecond))
	for range limit - 1 {
		if conn, taken := openTLS(s); !taken {
			t.Fatal("no room though all others are closed")
		} else {
			defer conn.Close()
		}
	}
}

func TestConnectionCaps(t *testing.T) {
	t.Run("of a peer", func(t *testing.T) { testCap(t, start(t, "connections_per_peer=20"), 20, "peer") })
	t.Run("of all", func(t *testing.T) { testCap(t, start(t, "connections=20"), 20, "total") })
	t.Run("by descriptors", func(t *testing.T) { testCap(t, start(t, "ulimit -n 100"), 36, "total") })
}

// So few descriptors that accept itself fails: the server says no, and recovers.
func TestDescriptorsRunOut(t *testing.T) {
	s := start(t, "fd_reserve=0", "ulimit -n 40")
	var open []*tls.Conn
	for range 60 {
		if conn, taken := openTLS(s); taken {
			open = append(open, conn)
		}
	}
	if len(open) == 0 || len(open) >= 40 {
		t.Fatalf("%d connections were taken", len(open))
	}
	fmt.Fprint(open[0], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	if response, err := http.ReadResponse(bufio.NewReader(open[0]), nil); err != nil || response.StatusCode != 200 {
		t.Errorf("an open connection does not work: %v", err)
	}
	for _, conn := range open {
		conn.Close()
	}
	time.Sleep(slack(1500 * time.Millisecond))
	mustPost(t, client(false), "https://"+s.address+"/", nil)
	if s.count("meshwrit_connections_refused_total{descriptors}") == 0 {
		t.Error("no refusal was counted")
	}
}

// ---- TLS and ALPN ----

func negotiate(s *server, config *tls.Config) (tls.ConnectionState, error) {
	config.RootCAs = roots()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: slack(3 * time.Second)}, "tcp", s.address, config)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	// In TLS 1.3 the server's verdict on the client's certificate comes after the handshake.
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		answer, err := io.ReadAll(conn)
		if !strings.HasPrefix(string(answer), "HTTP/1.1 405") {
			return tls.ConnectionState{}, fmt.Errorf("answer %q, %v", answer, err)
		}
	}
	return conn.ConnectionState(), nil
}

func TestALPN(t *testing.T) {
	both, only1 := start(t), start(t, "http2=0")
	for _, test := range []struct {
		name  string
		s     *server
		offer []string
		want  string // "-": refused
	}{
		{"both", both, []string{"http/1.1", "h2"}, "h2"},
		{"h2", both, []string{"h2"}, "h2"},
		{"http/1.1", both, []string{"http/1.1"}, "http/1.1"},
		{"none", both, nil, ""},
		{"another", both, []string{"spdy/3"}, "-"},
		{"both, HTTP/2 off", only1, []string{"h2", "http/1.1"}, "http/1.1"},
		{"h2, HTTP/2 off", only1, []string{"h2"}, "-"},
	} {
		state, err := negotiate(test.s, &tls.Config{NextProtos: test.offer})
		if err != nil && test.want != "-" || err == nil && state.NegotiatedProtocol != test.want {
			t.Errorf("%s: got %q, %v", test.name, state.NegotiatedProtocol, err)
		}
	}
}

func TestTLSPolicy(t *testing.T) {
	s := start(t)
	for _, test := range []struct {
		name   string
		config *tls.Config
		good   bool
	}{
		{"TLS 1.0", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, false},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{"TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, true},
		{"TLS 1.3", &tls.Config{MinVersion: tls.VersionTLS13}, true},
		{"CBC", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
			tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}, false},
		{"GCM", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}, true},
	} {
		if _, err := negotiate(s, test.config); (err == nil) != test.good {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := &tls.Config{MinVersion: version, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(9)}
		for range 3 {
			if state, err := negotiate(s, config); err != nil || state.DidResume {
				t.Errorf("%s: resumed: %v, %v", tls.VersionName(version), state.DidResume, err)
			}
		}
	}
}

func TestClientCertificates(t *testing.T) {
	s := startWith(t, []string{"ECHO_CLIENT_CA=" + authority.file})
	stranger := newIssuer("another CA")
	use := x509.ExtKeyUsageClientAuth
	for _, test := range []struct {
		name         string
		certificates []tls.Certificate
		good         bool
	}{
		{"none", nil, false},
		{"the API server's", []tls.Certificate{authority.client(leaf{name: "kube-apiserver", usage: use})}, true},
		{"by alternative name", []tls.Certificate{authority.client(leaf{name: "x", dns: []string{"kube-apiserver"}, usage: use})}, true},
		{"another name", []tls.Certificate{authority.client(leaf{name: "kube-apiserver.evil", usage: use})}, false},
		{"a NUL in the name", []tls.Certificate{authority.client(leaf{name: "kube-apiserver\x00.evil", usage: use})}, false},
		{"a server's", []tls.Certificate{authority.client(leaf{name: "kube-apiserver", usage: x509.ExtKeyUsageServerAuth})}, false},
		{"another CA's", []tls.Certificate{stranger.client(leaf{name: "kube-apiserver", usage: use})}, false},
		{"ended", []tls.Certificate{authority.client(leaf{name: "kube-apiserver", usage: use, ended: true})}, false},
	} {
		if _, err := negotiate(s, &tls.Config{Certificates: test.certificates}); (err == nil) != test.good {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// ---- HTTP/1.1 ----

// exchange sends bytes over HTTP/1.1 and TLS and returns all that comes until the server closes.
func exchange(t *testing.T, s *server, text string) string {
	conn := dialTLS(t, s, "http/1.1")
	conn.SetDeadline(time.Now().Add(slack(3 * time.Second)))
	fmt.Fprint(conn, text)
	answer, err := io.ReadAll(conn)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("%q: %v", text[:min(len(text), 40)], err)
	}
	return string(answer)
}

func TestHTTP1(t *testing.T) {
	s := start(t)
	const end = "Host: a\r\nConnection: close\r\n"
	for _, test := range []struct{ name, text, want string }{
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "HTTP/1.1 400"},
		{"h2c upgrade", "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n" +
			"HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200"},
		{"garbage", "\x00\x01\x02\x03\x04\r\n\r\n", "HTTP/1.1 400"},
		{"long header", "POST / HTTP/1.1\r\nX: " + strings.Repeat("x", 500000), "HTTP/1.1 400"},
		{"many headers", "POST / HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 200) + "\r\n", "HTTP/1.1 400"},
		{"GET", "GET / HTTP/1.1\r\n" + end + "\r\n", "HTTP/1.1 405"},
		{"chunks", "POST / HTTP/1.1\r\n" + end + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 200"},
		{"bad chunks", "POST / HTTP/1.1\r\n" + end + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400"},
		{"continue", "POST / HTTP/1.1\r\n" + end + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 100"},
		{"too long", "POST / HTTP/1.1\r\n" + end + "Content-Length: 99999999\r\n\r\n", "HTTP/1.1 413"},
	} {
		if got := exchange(t, s, test.text); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: got %.60q", test.name, got)
		}
	}
	if n := strings.Count(exchange(t, s, strings.Repeat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 99)+
		"POST / HTTP/1.1\r\n"+end+"Content-Length: 0\r\n\r\n"), "HTTP/1.1 200"); n != 100 {
		t.Errorf("%d of 100 pipelined requests were answered", n)
	}
	s.checkMemory()
}

// Connections that were used enough are closed after an answer, not before a request.
func TestUsedUpConnections(t *testing.T) {
	t.Parallel()
	s := start(t, "requests_per_connection=5", "age_ms=1500")
	conn := dialTLS(t, s, "http/1.1")
	reader := bufio.NewReader(conn)
	var closes []bool
	for range 5 {
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		closes = append(closes, response.Close)
	}
	if !slices.Equal(closes, []bool{false, false, false, false, true}) {
		t.Errorf("closes: %v", closes)
	}
	old := dialTLS(t, s, "http/1.1")
	time.Sleep(1700 * time.Millisecond)
	fmt.Fprint(old, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	if response, err := http.ReadResponse(bufio.NewReader(old), nil); err != nil || !response.Close {
		t.Errorf("an old connection goes on: %v", err)
	}
}
