package protocol

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// During a drain nobody who asks is refused, new or old, busy or idle (R12).
func TestDrainFailsNoRequest(t *testing.T) {
	t.Parallel()
	s := start(t, "serve_ms=4000", "end_ms=8000")
	h := s.honest()
	idle := []*http.Client{client(false), client(true)}
	for _, c := range idle {
		var group sync.WaitGroup
		for range 25 {
			group.Add(1)
			go func() {
				defer group.Done()
				post(c, "https://"+s.address+"/park", nil)
			}()
		}
		group.Wait()
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	end := time.Now().Add(3500 * time.Millisecond)
	for time.Now().Before(end) {
		for _, c := range append(idle, client(true), client(false)) {
			if _, err := post(c, "https://"+s.address+"/", []byte("{}")); err != nil {
				t.Errorf("%v before the end: %v", time.Until(end), err)
			}
		}
		time.Sleep(30 * time.Millisecond)
	}
	h.unharmed(t)
	for _, c := range idle {
		c.CloseIdleConnections()
	}
	s.stop()
}

// HTTP/1.1 is told to close, HTTP/2 gets a GOAWAY, and a body that is under way is still answered.
func TestDrainManners(t *testing.T) {
	t.Parallel()
	s := start(t, "serve_ms=1000", "end_ms=9000")
	http1 := dialTLS(t, s, "http/1.1")
	idle, busy := dial(t, s), dial(t, s)
	idle.open("/", true)
	idle.flush()
	if !idle.answered(1) {
		t.Fatal("no answer")
	}
	stream := busy.open("/", false)
	busy.flush()
	time.Sleep(100 * time.Millisecond)
	s.cmd.Process.Signal(syscall.SIGTERM)

	for range 10 {
		time.Sleep(300 * time.Millisecond)
		busy.frames.WriteData(stream, false, []byte("x"))
		if !busy.flush() {
			t.Fatal("a request under way was cut off")
		}
	}
	if !idle.gone(0) || idle.goaways.Load() == 0 {
		t.Errorf("idle HTTP/2: gone %v, after %d GOAWAY", idle.gone(0), idle.goaways.Load())
	}
	busy.frames.WriteData(stream, true, []byte("x"))
	busy.flush()
	if !busy.answered(1) {
		t.Error("a request under way got no answer")
	}
	fmt.Fprint(http1, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(http1), nil)
	if err != nil || !response.Close {
		t.Errorf("HTTP/1.1 in a drain: %v", err)
	} else {
		io.Copy(io.Discard, response.Body)
	}
	s.stop()
}

// libh2o spins forever on a CONTINUATION behind its second GOAWAY; ours never sends that one.
func TestDrainDoesNotSpin(t *testing.T) {
	t.Parallel()
	s := start(t, "serve_ms=500", "end_ms=6000")
	r := dial(t, s)
	r.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.request("/"), EndStream: true})
	r.flush()
	time.Sleep(100 * time.Millisecond)
	s.cmd.Process.Signal(syscall.SIGTERM)
	time.Sleep(3 * time.Second)
	r.frames.WriteContinuation(1, true, nil)
	r.flush()
	if !r.answered(1) {
		t.Error("no answer")
	}
	s.stop()
}

// Who never stops is ended.
func TestDrainEnds(t *testing.T) {
	t.Parallel()
	s := start(t, "serve_ms=500", "end_ms=2000")
	for range 3 {
		dialTLS(t, s, "http/1.1")
		r := silent(t, s)
		r.open("/", false)
		r.flush()
	}
	began := time.Now()
	s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.ended
	if took := time.Since(began); took > slack(3500*time.Millisecond) {
		t.Errorf("the drain took %v", took)
	}
	if !s.cmd.ProcessState.Success() {
		t.Errorf("the server ended with %v\n%s", s.cmd.ProcessState, s.stderr.String())
	}
	s.once.Do(func() {})
}
