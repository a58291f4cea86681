package protocol

import (
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// Within a second after `limit` the sweep has seen it; the rest is for a busy machine.
func sweepLimit(limit time.Duration) time.Duration {
	return limit + slack(1500*time.Millisecond)/2 + 2*time.Second
}

func TestSlowHandshake(t *testing.T) {
	t.Parallel()
	s := start(t, "handshake_ms=1000")
	for name, bytes := range map[string][]byte{"nothing": nil, "half a record": {22, 3, 1, 1, 0, 1}} {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Write(bytes)
		if !readsEOF(conn, sweepLimit(time.Second)) {
			t.Errorf("%s: still open", name)
		}
	}
	if n := s.count("meshwrit_tls_handshakes_failed_total{timeout}"); n != 2 {
		t.Errorf("%d handshakes timed out, want 2", n)
	}
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write([]byte("POST / HTTP/1.1\r\n\r\n"))
	if !readsEOF(conn, slack(time.Second)) {
		t.Error("plain text on the TLS port: still open")
	}
}

// drip sends byte by byte until the server has enough of it.
func drip(conn net.Conn, text string, limit time.Duration) bool {
	end := time.Now().Add(limit)
	for i := 0; time.Now().Before(end); i++ {
		if _, err := conn.Write([]byte{text[i%len(text)]}); err != nil {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

func TestSlowRequests(t *testing.T) {
	t.Parallel()
	s := start(t, "request_ms=1500")
	h := s.honest()
	limit := sweepLimit(1500 * time.Millisecond)
	tests := map[string]func(t *testing.T) bool{
		"HTTP/1.1 header": func(t *testing.T) bool {
			conn := dialTLS(t, s, "http/1.1")
			fmt.Fprint(conn, "POST / HTTP/1.1\r\n")
			return drip(conn, "X-A: b\r\n", limit)
		},
		"HTTP/1.1 body": func(t *testing.T) bool {
			conn := dialTLS(t, s, "http/1.1")
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n")
			return drip(conn, "x", limit)
		},
		"HTTP/1.1 chunks": func(t *testing.T) bool {
			conn := dialTLS(t, s, "http/1.1")
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
			return drip(conn, "1\r\nx\r\n", limit)
		},
		"HTTP/1.1 second request": func(t *testing.T) bool {
			conn := dialTLS(t, s, "http/1.1")
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nPOST / HT")
			return readsEOF(conn, limit+time.Second)
		},
		"HTTP/2 body": func(t *testing.T) bool {
			r := dial(t, s)
			stream := r.open("/", false)
			for end := time.Now().Add(limit); !r.gone(50*time.Millisecond) && time.Now().Before(end); {
				r.frames.WriteData(stream, false, []byte("x"))
				r.flush()
			}
			return r.gone(0)
		},
		"HTTP/2 block": func(t *testing.T) bool {
			r := dial(t, s)
			r.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.request("/")})
			r.flush()
			return r.gone(limit)
		},
	}
	t.Run("all", func(t *testing.T) {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if !test(t) {
					t.Error("still open")
				}
			})
		}
	})
	h.unharmed(t)
	if n := s.count(swept("slow_request")); n != len(tests) {
		t.Errorf("%d were swept as slow, want %d", n, len(tests))
	}
}

func TestClientsThatDoNotRead(t *testing.T) {
	t.Parallel()
	s := start(t, "write_ms=1500")
	h := s.honest()
	limit := sweepLimit(2500 * time.Millisecond)
	t.Run("HTTP/1.1", func(t *testing.T) {
		conn := dialTLS(t, s, "http/1.1")
		conn.NetConn().(*net.TCPConn).SetReadBuffer(2048)
		end := time.Now().Add(limit)
		for time.Now().Before(end) {
			conn.SetWriteDeadline(end)
			if _, err := fmt.Fprint(conn, "POST /long HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"); err != nil {
				break
			}
			if s.count(swept("unread")) > 0 {
				break
			}
		}
		if s.count(swept("unread")) != 1 {
			t.Error("not swept")
		}
	})
	t.Run("HTTP/2", func(t *testing.T) {
		r := silent(t, s)
		r.conn.NetConn().(*net.TCPConn).SetReadBuffer(2048)
		r.frames.WriteWindowUpdate(0, 1<<30)
		for range 100 {
			r.open("/long", true)
		}
		r.flush()
		for end := time.Now().Add(limit); time.Now().Before(end) && s.count(swept("unread")) < 2; {
			time.Sleep(50 * time.Millisecond)
		}
		if s.count(swept("unread")) != 2 {
			t.Error("not swept")
		}
	})
	t.Run("HTTP/2 window", func(t *testing.T) {
		r := dial(t, s) // 65,535 bytes for the connection, and never more
		for range 10 {
			r.open("/long", true)
		}
		r.flush()
		if !r.gone(limit) {
			t.Error("still open")
		}
	})
	h.unharmed(t)
	s.checkMemory()
}

func TestIdleConnections(t *testing.T) {
	t.Parallel()
	s := start(t, "idle_ms=2500")
	http1 := dialTLS(t, s, "http/1.1")
	fmt.Fprint(http1, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	h2 := dial(t, s)
	h2.open("/", true)
	h2.flush()
	pinging := dial(t, s)

	// Not before its time.
	time.Sleep(1500 * time.Millisecond)
	if h2.gone(0) || pinging.gone(0) {
		t.Error("closed early")
	}
	for range 40 {
		pinging.frames.WritePing(false, [8]byte{})
		pinging.flush()
		time.Sleep(100 * time.Millisecond)
	}
	if !h2.gone(0) {
		t.Error("HTTP/2: still open")
	}
	if !pinging.gone(0) {
		t.Error("HTTP/2 that only pings: still open")
	}
	if !readsEOF(http1, slack(time.Second)) {
		t.Error("HTTP/1.1: still open")
	}
	if n := s.count(swept("idle")); n != 3 {
		t.Errorf("%d were swept as idle, want 3", n)
	}
}

// A connection that was dialled ahead may wait, unless connections are short.
func TestConnectionsWithoutRequest(t *testing.T) {
	t.Parallel()
	s := start(t, "first_request_ms=1000", "connections_per_peer=20")
	for range 5 {
		dialTLS(t, s, "http/1.1")
	}
	time.Sleep(2500 * time.Millisecond)
	if n := s.count(swept("no_request")); n != 0 {
		t.Errorf("%d were swept though there is room", n)
	}
	for range 10 {
		dialTLS(t, s, "http/1.1")
	}
	for end := time.Now().Add(sweepLimit(time.Second)); s.count(swept("no_request")) < 5; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("none was swept though it is crowded")
		}
	}
	mustPost(t, client(false), "https://"+s.address+"/", nil)
}
