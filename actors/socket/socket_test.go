package socket

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/tests/sockettest"
)

// rawFrame returns a masked WebSocket frame: opcode 0 continues, 2 is binary.
func rawFrame(fin bool, opcode byte, payload []byte) []byte {
	first := opcode
	if fin {
		first |= 0x80
	}
	frame := []byte{first}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 0x80|127), uint64(n))
	}
	frame = append(frame, 0, 0, 0, 0) // a mask of zeroes changes nothing
	return append(frame, payload...)
}

// rawPeer upgrades by hand, so that the test writes every byte itself.
type rawPeer struct {
	ours  *Conn
	conn  net.Conn
	write func([]byte) error
}

func newRawPeer(t *testing.T, opts Options) *rawPeer {
	t.Helper()
	n := sockettest.NewNetwork()
	accepted, _ := sockettest.Accepting(t, n, accept(opts))
	conn, err := n.There.DialContext(t.Context(), "tcp", "10.0.0.1:9091")
	if err != nil {
		t.Fatal(err)
	}
	request := "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	p := &rawPeer{ours: <-accepted, conn: conn, write: func(b []byte) error {
		_, err := conn.Write(b)
		return err
	}}
	t.Cleanup(func() {
		p.ours.Release()
		conn.Close()
	})
	return p
}

// readMessage reads like the read pump.
func readMessage(s *Conn) ([]byte, error) {
	if err := s.Await(); err != nil {
		return nil, err
	}
	return s.Read(nil)
}

func TestReadLimitRefusesLargeMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, testOptions())
		p.ours.SetReadLimit(1000)
		go func() {
			_ = p.theirs.Write(t.Context(), websocket.MessageBinary, make([]byte, 1000))
			_ = p.theirs.Write(t.Context(), websocket.MessageBinary, make([]byte, 1001))
		}()
		if data, err := readMessage(p.ours); err != nil || len(data) != 1000 {
			t.Errorf("at the limit: %d bytes, %v", len(data), err)
		}
		if _, err := readMessage(p.ours); !errors.Is(err, ErrMessageTooBig) {
			t.Errorf("over the limit: %v, want ErrMessageTooBig", err)
		}
		if _, _, err := p.theirs.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("the peer sees %v, want status 1009", err)
		}
	})
}

// The limit also holds for a message in many fragments.
func TestReadLimitCoversFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := testOptions()
		opts.ReadLimit = 1000
		p := newRawPeer(t, opts)
		go func() {
			_ = p.write(rawFrame(false, 2, make([]byte, 10)))
			for range 100 {
				if p.write(rawFrame(false, 0, make([]byte, 10))) != nil {
					return
				}
			}
		}()
		data, err := readMessage(p.ours)
		if !errors.Is(err, ErrMessageTooBig) || len(data) > 1001 {
			t.Errorf("%d bytes and %v, want ErrMessageTooBig at 1000", len(data), err)
		}
	})
}

func TestMessageDeadlineEndsSlowMessage(t *testing.T) {
	cases := map[string]func(p *rawPeer){
		"one byte a second": func(p *rawPeer) {
			for _, b := range rawFrame(true, 2, make([]byte, 200)) {
				if p.write([]byte{b}) != nil {
					return
				}
				time.Sleep(time.Second)
			}
		},
		"endless empty continuations": func(p *rawPeer) {
			_ = p.write(rawFrame(false, 2, nil))
			for p.write(rawFrame(false, 0, nil)) == nil {
				time.Sleep(time.Millisecond)
			}
		},
		"begun and left": func(p *rawPeer) { _ = p.write(rawFrame(false, 2, []byte("x"))) },
	}
	for name, behave := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newRawPeer(t, testOptions())
				var misbehaving sync.WaitGroup
				misbehaving.Go(func() { behave(p) })
				if err := p.ours.Await(); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				_, err := p.ours.Read(nil)
				if err != ErrMessageTooSlow {
					t.Errorf("got %v, want ErrMessageTooSlow", err)
				}
				if took := time.Since(start); took != 10*time.Second {
					t.Errorf("it took %v, want 10s from the first byte", took)
				}
				p.ours.Abort()
				misbehaving.Wait()
			})
		})
	}
}

// Each message has its own deadline: a peer whose stream never pauses is not slow. Its frames fit the reader's buffer
// so badly that every read ends inside one.
func TestMessageDeadlineIsPerMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRawPeer(t, testOptions())
		frame := rawFrame(true, 2, make([]byte, 1000))
		half := len(frame) / 2
		go func() {
			_ = p.write(frame[:half])
			for range 60 {
				time.Sleep(time.Second)
				if p.write(slices.Concat(frame[half:], frame[:half])) != nil {
					return
				}
			}
			_ = p.write(frame[half:])
		}()
		for i := range 60 {
			if _, err := readMessage(p.ours); err != nil {
				t.Fatalf("message %d, of a stream in which none takes more than a second: %v", i, err)
			}
		}
	})
}

// An idle connection has no deadline, even after messages.
func TestSocketIdleHasNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRawPeer(t, testOptions())
		go func() {
			for range 3 {
				time.Sleep(time.Hour)
				_ = p.write(rawFrame(true, 2, make([]byte, 5000)))
			}
		}()
		for i := range 3 {
			if _, err := readMessage(p.ours); err != nil {
				t.Fatalf("message %d after an hour of silence: %v", i, err)
			}
		}
	})
}

// A flood of WebSocket pings gets ten pongs at once and then one per second.
func TestSocketPongsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newRawPeer(t, testOptions())
		go func() { _ = p.ours.Await() }()
		synctest.Wait()
		before := sent(p.ours)
		for range 100 {
			if err := p.write(rawFrame(true, 9, nil)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := (sent(p.ours) - before) / 2; n != 10 {
			t.Errorf("%d pongs for 100 pings at once, want 10", n)
		}
		time.Sleep(3 * time.Second)
		for range 100 {
			_ = p.write(rawFrame(true, 9, nil))
		}
		synctest.Wait()
		if n := (sent(p.ours) - before) / 2; n != 13 {
			t.Errorf("%d pongs three seconds later, want 13", n)
		}
	})
}

// sent returns the number of bytes written to the network.
func sent(s *Conn) int64 { return s.conn.Conn.(*sockettest.Conn).Written.Load() }
