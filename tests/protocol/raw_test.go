package protocol

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// raw is an HTTP/2 connection that may do anything.
type raw struct {
	t      *testing.T
	conn   *tls.Conn
	out    *bufio.Writer
	frames *http2.Framer
	block  bytes.Buffer
	hpack  *hpack.Encoder
	next   uint32

	closed  chan struct{}
	answers atomic.Int64 // complete responses
	goaways atomic.Int64
	resets  atomic.Int64
}

func dialTLS(t *testing.T, s *server, protocols ...string) *tls.Conn {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: slack(3 * time.Second)}, "tcp", s.address,
		&tls.Config{RootCAs: roots(), NextProtos: protocols})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// silent is a connection with its preface sent; nothing is read from it.
func silent(t *testing.T, s *server, settings ...http2.Setting) *raw {
	t.Helper()
	r := &raw{t: t, conn: dialTLS(t, s, "h2"), next: 1, closed: make(chan struct{})}
	if p := r.conn.ConnectionState().NegotiatedProtocol; p != "h2" {
		t.Fatalf("negotiated %q", p)
	}
	r.out = bufio.NewWriterSize(r.conn, 16<<10)
	r.frames = http2.NewFramer(r.out, bufio.NewReader(r.conn))
	r.frames.AllowIllegalWrites = true
	r.frames.SetReuseFrames()
	r.hpack = hpack.NewEncoder(&r.block)
	r.out.WriteString(http2.ClientPreface)
	r.frames.WriteSettings(settings...)
	r.out.Flush()
	return r
}

// dial is silent, and what comes is read.
func dial(t *testing.T, s *server, settings ...http2.Setting) *raw {
	t.Helper()
	r := silent(t, s, settings...)
	go r.read()
	return r
}

func (r *raw) read() {
	defer close(r.closed)
	for {
		frame, err := r.frames.ReadFrame()
		if err != nil {
			var stream http2.StreamError
			if errors.As(err, &stream) {
				continue
			}
			return
		}
		switch f := frame.(type) {
		case *http2.DataFrame:
			if f.StreamEnded() {
				r.answers.Add(1)
			}
		case *http2.GoAwayFrame:
			r.goaways.Add(1)
		case *http2.RSTStreamFrame:
			r.resets.Add(1)
		}
	}
}

// fields encodes a header block.
func (r *raw) fields(pairs ...string) []byte {
	r.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		r.hpack.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return r.block.Bytes()
}

func (r *raw) request(path string, more ...string) []byte {
	return r.fields(append([]string{":method", "POST", ":scheme", "https", ":authority", "a", ":path", path}, more...)...)
}

// open begins a request and tells its stream.
func (r *raw) open(path string, end bool, more ...string) uint32 {
	stream := r.next
	r.next += 2
	r.frames.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: r.request(path, more...), EndStream: end, EndHeaders: true,
	})
	return stream
}

// flush sends what is buffered; false when the server has closed.
func (r *raw) flush() bool {
	r.conn.SetWriteDeadline(time.Now().Add(slack(5 * time.Second)))
	return r.out.Flush() == nil
}

// gone waits until the server has closed the connection.
func (r *raw) gone(limit time.Duration) bool {
	select {
	case <-r.closed:
		return true
	default:
	}
	if limit == 0 {
		return false
	}
	select {
	case <-r.closed:
		return true
	case <-time.After(limit):
		return false
	}
}

// mustBeClosed fails the test unless the server closes within the limit for attackers.
func (r *raw) mustBeClosed() {
	r.t.Helper()
	if !r.gone(slack(closeLimit)) {
		r.t.Errorf("the connection is still open %v after the attack", slack(closeLimit))
	}
}

func (r *raw) answered(want int64) bool {
	for end := time.Now().Add(slack(3 * time.Second)); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if r.answers.Load() >= want {
			return true
		}
	}
	return false
}

// readsEOF reads from an idle connection until it is closed.
func readsEOF(conn net.Conn, limit time.Duration) bool {
	conn.SetReadDeadline(time.Now().Add(limit))
	_, err := io.Copy(io.Discard, conn)
	var timeout net.Error
	return !(errors.As(err, &timeout) && timeout.Timeout())
}

func number(n int) string {
	return strconv.Itoa(n)
}
