package protocol

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

const many = 20000

// Each attack repeats its step until it is closed or has done it `many` times.
var floods = []struct {
	name   string
	reason string
	step   func(r *raw, i int)
}{
	{"one-byte indexed fields", "fields", func(r *raw, i int) {
		r.frames.WriteHeaders(http2.HeadersFrameParam{
			StreamID: uint32(2*i + 1), BlockFragment: bytes.Repeat([]byte{0x82}, 16000), EndHeaders: true,
		})
	}},
	{"endless block", "continuation", func(r *raw, i int) {
		if i == 0 {
			r.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.request("/")})
		}
		r.frames.WriteContinuation(1, false, nil)
	}},
	{"large block", "fields", func(r *raw, i int) {
		if i == 0 {
			r.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.request("/")})
		}
		// A literal name of 1 MB, a frame at a time.
		r.frames.WriteContinuation(1, false, append([]byte{0x40, 0x7f, 0x81, 0xff, 0x3f}, make([]byte, 16000)...))
	}},
	{"rapid reset", "reset", func(r *raw, i int) {
		r.frames.WriteRSTStream(r.open("/", true), http2.ErrCodeCancel)
	}},
	{"rapid reset of bodies", "reset", func(r *raw, i int) {
		r.frames.WriteRSTStream(r.open("/", false), http2.ErrCodeCancel)
	}},
	{"rapid reset of parked requests", "reset", func(r *raw, i int) {
		r.frames.WriteRSTStream(r.open("/park", true), http2.ErrCodeCancel)
	}},
	{"made to reset: window update of 0", "window", func(r *raw, i int) {
		stream := r.open("/", false)
		r.frames.WriteRawFrame(http2.FrameWindowUpdate, 0, stream, []byte{0, 0, 0, 0})
	}},
	{"made to reset: window overflow", "window", func(r *raw, i int) {
		stream := r.open("/", false)
		r.frames.WriteRawFrame(http2.FrameWindowUpdate, 0, stream, []byte{0x7f, 0xff, 0xff, 0xff})
	}},
	{"made to reset: DATA behind the end", "sequence", func(r *raw, i int) {
		stream := r.open("/park", true)
		r.frames.WriteData(stream, false, []byte("more"))
	}},
	{"made to reset: HEADERS behind the end", "sequence", func(r *raw, i int) {
		stream := r.open("/park", true)
		r.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: r.request("/"), EndHeaders: true})
	}},
	{"made to reset: depends on itself", "sequence", func(r *raw, i int) {
		stream := r.open("/", false)
		r.frames.WriteRawFrame(http2.FramePriority, 0, stream, []byte{0, 0, byte(stream >> 8), byte(stream), 1})
	}},
	{"made to reset: no path", "reset", func(r *raw, i int) {
		r.frames.WriteHeaders(http2.HeadersFrameParam{
			StreamID: uint32(2*i + 1), BlockFragment: r.fields(":method", "POST"), EndHeaders: true, EndStream: true,
		})
	}},
	{"made to reset: wrong content-length", "reset", func(r *raw, i int) {
		r.frames.WriteData(r.open("/", false, "content-length", "5"), true, []byte("1"))
	}},
	{"unknown frames", "unknown", func(r *raw, i int) {
		r.frames.WriteRawFrame(0x2a, 0, 0, []byte("whatever"))
	}},
	{"pings", "ping", func(r *raw, i int) { r.frames.WritePing(false, [8]byte{}) }},
	{"settings", "settings", func(r *raw, i int) {
		r.frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(65535 + i)})
	}},
	{"settings acknowledgements", "settings", func(r *raw, i int) { r.frames.WriteSettingsAck() }},
	{"priorities", "priority", func(r *raw, i int) {
		r.frames.WritePriority(uint32(2*i+1), http2.PriorityParam{StreamDep: uint32(2*i + 3), Exclusive: true})
	}},
	{"window updates", "update", func(r *raw, i int) { r.frames.WriteWindowUpdate(0, 1) }},
	{"empty DATA", "empty", func(r *raw, i int) {
		if i == 0 {
			r.open("/", false)
		}
		r.frames.WriteData(1, false, nil)
	}},
	{"DATA of nothing but padding", "empty", func(r *raw, i int) {
		if i == 0 {
			r.open("/", false)
		}
		r.frames.WriteDataPadded(1, false, nil, make([]byte, 255))
	}},
	{"a long frame", "frame", func(r *raw, i int) { r.frames.WriteRawFrame(0x2a, 0, 0, make([]byte, 20000)) }},
	{"no window for answers", "window", func(r *raw, i int) {
		r.frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		r.open("/", true)
	}},
	{"more open requests than announced", "streams", func(r *raw, i int) { r.open("/", false) }},
}

func TestFloodsAreClosed(t *testing.T) {
	s := start(t)
	for _, flood := range floods {
		t.Run(flood.name, func(t *testing.T) {
			before := s.count(guarded(flood.reason))
			h := s.honest()
			r := dial(t, s)
			began := time.Now()
			i := 0
			for ; i < many && !r.gone(0); i++ {
				flood.step(r, i)
				if i%64 == 63 && !r.flush() {
					break
				}
			}
			r.flush()
			r.mustBeClosed()
			t.Logf("%d steps in %v", i, time.Since(began))
			h.unharmed(t)
			if got := s.count(guarded(flood.reason)) - before; got != 1 {
				t.Errorf("%d connections were closed as %q, want 1", got, flood.reason)
			}
		})
	}
	s.checkMemory()
}

// Bytes that are decent in number but make much of themselves: libh2o decodes cache-digest fields.
func TestCacheDigestsAreNotDecoded(t *testing.T) {
	s := start(t)
	h := s.honest()
	r := dial(t, s)
	digest := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0}, 2900))
	var more []string
	for range 90 {
		more = append(more, "cache-digest", digest)
	}
	for range 90 {
		r.open("/", false, more...)
	}
	if !r.flush() {
		t.Fatal("closed")
	}
	time.Sleep(300 * time.Millisecond)
	for i := range 90 {
		r.frames.WriteData(uint32(2*i+1), true, []byte("{}"))
	}
	r.flush()
	if !r.answered(90) {
		t.Errorf("%d of 90 answers", r.answers.Load())
	}
	h.unharmed(t)
	s.checkMemory()
}

// 512 KiB of answers that nobody reads: libh2o stops reading, and would later start without the guard.
func TestUnreadAnswersAreNotKept(t *testing.T) {
	s := start(t, "pings=1000000")
	h := s.honest()
	r := silent(t, s)
	r.conn.NetConn().(*net.TCPConn).SetReadBuffer(4096)
	closed := false
	for i := 0; i < 200000 && !closed; i++ {
		r.frames.WritePing(false, [8]byte{})
		if i%256 == 255 {
			closed = !r.flush()
		}
	}
	// Then what the guard must still see.
	for i := 0; i < many && !closed; i++ {
		r.frames.WriteRawFrame(0x2a, 0, 0, []byte("whatever"))
		if i%256 == 255 {
			closed = !r.flush()
		}
	}
	// What the kernel's buffers took is no backlog yet: then the unknown frames were seen.
	for end := time.Now().Add(slack(closeLimit)); s.count(guarded("backlog"))+s.count(guarded("unknown")) == 0; {
		if time.Now().After(end) {
			t.Fatal("the connection is still open")
		}
		time.Sleep(10 * time.Millisecond)
	}
	h.unharmed(t)
	s.checkMemory()
}

// The same, by a client that reads again in time: what it sends next must meet the guard.
func TestGuardStandsAfterUnreadAnswers(t *testing.T) {
	s := start(t, "pings=1000000")
	for round := range 5 {
		r := silent(t, s)
		go func() {
			time.Sleep(time.Duration(round) * 20 * time.Millisecond)
			r.read()
		}()
		for i := range 60000 {
			r.frames.WritePing(false, [8]byte{})
			if i%256 == 255 && !r.flush() {
				break
			}
		}
		for i := range many {
			r.frames.WriteRawFrame(0x2a, 0, 0, []byte("whatever"))
			if i%256 == 255 && !r.flush() {
				break
			}
		}
		r.flush()
		r.mustBeClosed()
	}
	if n := s.count(guarded("backlog")) + s.count(guarded("unknown")); n != 5 {
		t.Errorf("%d of 5 connections were closed by the guard", n)
	}
	s.checkMemory()
}

// Request bodies that never end, from one connection and from many, over both protocols.
func TestBodiesAreBounded(t *testing.T) {
	part := make([]byte, 16384)

	t.Run("one HTTP/2 connection", func(t *testing.T) {
		s := start(t)
		h := s.honest()
		r := dial(t, s)
		for range 90 {
			r.open("/", false)
		}
	send:
		for range 400 {
			for i := range 90 {
				r.frames.WriteData(uint32(2*i+1), false, part)
				if !r.flush() || r.gone(0) {
					break send
				}
			}
		}
		r.mustBeClosed()
		h.unharmed(t)
		s.checkMemory()
	})
	t.Run("many HTTP/2 connections", func(t *testing.T) {
		s := start(t)
		h := s.honest()
		var all []*raw
		for range 20 {
			r := dial(t, s)
			r.open("/", false)
			all = append(all, r)
		}
		closed := 0
		for range 256 {
			for _, r := range all {
				if !r.gone(0) {
					r.frames.WriteData(1, false, part)
					r.flush()
				}
			}
		}
		time.Sleep(slack(200 * time.Millisecond))
		for _, r := range all {
			if r.gone(0) {
				closed++
			}
		}
		if closed == 0 {
			t.Error("none was closed")
		}
		h.unharmed(t)
		s.checkMemory()
	})
	t.Run("many HTTP/1.1 connections", func(t *testing.T) {
		s := start(t)
		h := s.honest()
		for range 40 {
			conn := dialTLS(t, s, "http/1.1")
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n")
			conn.SetWriteDeadline(time.Now().Add(slack(3 * time.Second)))
			for range 64 {
				if _, err := conn.Write(part); err != nil {
					break
				}
			}
		}
		h.unharmed(t)
		if s.count(guarded("body_http1")) == 0 {
			t.Error("none was closed")
		}
		s.checkMemory()
	})
}

// Beyond the library's limit a body is refused, and the others on the connection go on.
func TestBodyBeyondTheLimit(t *testing.T) {
	s := start(t, "max_body=100000", "request_ms=1500")
	r := dial(t, s)
	stream := r.open("/", false)
	for range 20 {
		r.frames.WriteData(stream, false, make([]byte, 16000))
	}
	r.flush()
	time.Sleep(3 * time.Second) // past the limit for slow requests, which it is none of
	r.frames.WriteData(r.open("/", false), true, []byte("{}"))
	r.flush()
	if !r.answered(1) {
		t.Error("the next request got no answer")
	}
	if r.resets.Load() == 0 {
		t.Error("the long request was not refused")
	}
	// libh2o answers 413 and closes without reading on, so that Go may see only the close.
	response, err := post(client(false), "https://"+s.address+"/", make([]byte, 200000))
	if err == nil && response.StatusCode != 413 {
		t.Errorf("over HTTP/1.1: %v", response.Status)
	}
}
