package hostile

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// trickle writes one byte of text every few milliseconds until the connection breaks or the test ends.
func trickle(t *testing.T, conn net.Conn, text []byte) {
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for _, b := range text {
			<-ticker.C
			if _, err := conn.Write([]byte{b}); err != nil {
				return
			}
		}
	}()
}

// TestSilentSocketsAreClosedAtTheTimeout: a peer that sends nothing, or byte by byte, is closed at the handshake
// timeout and not earlier. Its slot is free again.
func TestSilentSocketsAreClosedAtTheTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 700 * time.Millisecond
	head := []byte{0x81, 0xfe, 0x03, 0xe8, 0, 0, 0, 0} // of a text message of 1000 bytes
	frame := append(head, strings.Repeat(" ", 1000)...)
	request := "GET /ws HTTP/1.1\r\nHost: node\r\nX-Padding: " + strings.Repeat("x", 1000)
	for name, tt := range map[string]struct {
		slots int // taken
		open  func(*testing.T, string) (net.Conn, *bufio.Reader)
		say   []byte
	}{
		"no byte":                      {0, dialTCP, nil},
		"an HTTP request byte by byte": {0, dialTCP, []byte(request)},
		"an upgrade and no byte":       {1, upgraded, nil},
		"a handshake byte by byte":     {1, upgraded, frame},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t, nodetest.Options{
				Config: func(c *supervisor.TransportConfig) { c.MaxConns, c.HandshakeTimeout = 1, timeout },
			})
			began := time.Now()
			conn, reader := tt.open(t, n.Addr().String())
			trickle(t, conn, tt.say)
			if tt.slots == 1 {
				if _, status, _ := tryKnock(n.URL()); status != http.StatusServiceUnavailable {
					t.Errorf("beside the one that took the only slot: HTTP status %d, want 503", status)
				}
			}
			awaitClosed(t, conn, reader)
			if took := time.Since(began); took < timeout {
				t.Errorf("closed after %v, want %v", took, timeout)
			}
			n.AwaitConnections(0, 0)
			join(n, refpeer.Options{}).say("hello", nil)
			if got := n.Counter("handshakesRejected"); got != tt.slots {
				t.Errorf("handshakesRejected is %d, want %d", got, tt.slots)
			}
		})
	}
}

// TestWaitingSocketsEvictTheOldest: of sockets that never send a request, one address may have MaxConns/4. One more
// evicts the oldest: a new peer gets in, other addresses lose nothing.
func TestWaitingSocketsEvictTheOldest(t *testing.T) {
	t.Parallel()
	const most = 25
	ln := newMasquerade(t)
	n := nodetest.Start(t, nodetest.Options{
		Config:  func(c *supervisor.TransportConfig) { c.HandshakeTimeout = time.Hour }, // only the limit closes them
		Options: []supervisor.Option{supervisor.WithListener(ln)},
	})
	from := func(last byte) { ln.from.Store(&net.TCPAddr{IP: net.IPv4(203, 0, 113, last), Port: 4000}) }
	type socket struct {
		net.Conn
		reader *bufio.Reader
	}
	open := func(count int) (opened []socket) {
		for range count {
			conn, reader := dialTCP(t, n.Addr().String())
			opened = append(opened, socket{conn, reader})
			ln.accepted(t)
		}
		return opened
	}
	from(6)
	others := open(1)
	from(5)
	waiting := open(most + 5)
	for _, s := range waiting[:5] {
		awaitClosed(t, s, s.reader)
	}
	join(n, refpeer.Options{}).say("hello", nil) // evicts one more
	awaitClosed(t, waiting[5], waiting[5].reader)
	for _, s := range append(others, waiting[6:]...) {
		must(t, s.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
		if _, err := s.reader.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a socket within the limit: %v", err)
		}
	}
	if got := n.Counter("connectionsRefused"); got != 6 {
		t.Errorf("connectionsRefused is %d, want 6", got)
	}
}

func dialTCP(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn, bufio.NewReader(conn)
}
