package protocol

import (
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// Sequences that fail an assertion in libh2o 2.2.5, or came near it: the server must live.

func (r *raw) abort() {
	tcp := r.conn.NetConn().(*net.TCPConn)
	tcp.SetLinger(0)
	tcp.Close()
}

// A stream's window is used up to the byte, the answer's end waits behind others that nobody reads,
// and the window is updated.
func TestWindowUpdateForAnAnswerUnderWay(t *testing.T) {
	s := start(t)
	for _, window := range []uint32{0, 1, 317, 318, 319, 320, 12000, 32767, 32768} {
		r := silent(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
		r.conn.NetConn().(*net.TCPConn).SetReadBuffer(2048)
		r.frames.WriteWindowUpdate(0, 1<<30)
		for range 90 {
			r.open("/long", true)
		}
		r.flush()
		time.Sleep(50 * time.Millisecond)
		for i := range 90 {
			r.frames.WriteWindowUpdate(uint32(2*i+1), 1)
		}
		r.frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window + 40000})
		r.flush()
		r.abort()
	}
	time.Sleep(100 * time.Millisecond)
	mustPost(t, client(true), "https://"+s.address+"/", nil)
}

// A connection breaks while requests wait, parked and behind unread answers.
func TestConnectionBreaksUnderWaitingRequests(t *testing.T) {
	s := start(t)
	for round := range 40 {
		r := silent(t, s)
		r.conn.NetConn().(*net.TCPConn).SetReadBuffer(2048)
		r.frames.WriteWindowUpdate(0, 1<<30)
		for i := range 100 {
			path := "/long"
			if (i+round)%3 == 0 {
				path = "/park"
			}
			r.open(path, true)
		}
		r.flush()
		time.Sleep(time.Duration(round%4) * 20 * time.Millisecond)
		r.abort()
	}
	time.Sleep(100 * time.Millisecond)
	mustPost(t, client(true), "https://"+s.address+"/", nil)
}

// Frames by chance, most of them nearly right.
func TestRandomFrames(t *testing.T) {
	s := start(t, "pings=1000")
	h := s.honest()
	random := rand.New(rand.NewPCG(1, 2))
	connections := 400
	if sanitized {
		connections = 100
	}
	for range connections {
		r := dial(t, s)
		for range 40 {
			if random.IntN(3) == 0 {
				r.open([]string{"/", "/park", "/long"}[random.IntN(3)], random.IntN(2) == 0)
				continue
			}
			payload := make([]byte, []int{0, 1, 4, 5, 6, 8, 20, 100}[random.IntN(8)])
			for i := range payload {
				payload[i] = byte(random.Uint32() >> uint(random.IntN(9)))
			}
			r.frames.WriteRawFrame(http2.FrameType(random.IntN(11)), http2.Flags(random.UintN(64)),
				uint32(random.IntN(int(r.next)+2)), payload)
		}
		r.flush()
		if random.IntN(2) == 0 {
			r.abort()
		} else {
			r.conn.Close()
		}
	}
	h.unharmed(t)
	s.checkMemory()
}
