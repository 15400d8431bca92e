// Package sockettest connects two simulated hosts for tests of sockets and connections: network connections that count
// writes and fail on request, an HTTP server and a WebSocket client.
package sockettest

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/tests/memnet"
)

// The addresses of the two hosts, and the URL of a server on the first.
const (
	HereIP  = "10.0.0.1"
	ThereIP = "10.0.0.2"
	HereURL = "ws://10.0.0.1:9091/ws"
)

// Network connects two hosts: Here is under test, There is played by the test.
type Network struct {
	*memnet.Network
	Here, There *memnet.Host
}

// NewNetwork returns a network whose random numbers have a fixed seed.
func NewNetwork() *Network {
	n := memnet.New(1)
	return &Network{Network: n, Here: n.Attach(HereIP), There: n.Attach(ThereIP)}
}

// Conn counts writes, written bytes and write deadlines. The next Close panics if PanicOnClose is set; the next Read or
// Write calls runtime.Goexit if ExitOnRead or ExitOnWrite is set.
type Conn struct {
	net.Conn
	Writes, Written, Deadlines atomic.Int64
	PanicOnClose               atomic.Bool
	ExitOnRead, ExitOnWrite    atomic.Bool
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.ExitOnRead.CompareAndSwap(true, false) {
		runtime.Goexit()
	}
	return n, err
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.Deadlines.Add(1)
	return c.Conn.SetWriteDeadline(t)
}

// Write implements net.Conn.
func (c *Conn) Write(b []byte) (int, error) {
	if c.ExitOnWrite.CompareAndSwap(true, false) {
		runtime.Goexit()
	}
	c.Writes.Add(1)
	n, err := c.Conn.Write(b)
	c.Written.Add(int64(n))
	return n, err
}

// CloseWrite closes the sending half.
func (c *Conn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	armed := c.PanicOnClose.CompareAndSwap(true, false) // before the reader, which the end wakes, closes too
	err := c.Conn.Close()
	if armed {
		panic("close: injected")
	}
	return err
}

// Listener wraps each accepted connection in a Conn.
type Listener struct {
	net.Listener
	mu   sync.Mutex
	last *Conn
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = &Conn{Conn: raw}
	return l.last, nil
}

// Conn returns the connection that was accepted last, or nil.
func (l *Listener) Conn() *Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// Serve runs an HTTP server on host until the test's end.
func Serve(t *testing.T, host *memnet.Host, handle http.HandlerFunc) *Listener {
	t.Helper()
	ln, err := host.Listen(9091)
	if err != nil {
		t.Fatal(err)
	}
	probed := &Listener{Listener: ln}
	server := &http.Server{Handler: handle}
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(probed) })
	t.Cleanup(func() {
		server.Close()
		done.Wait()
	})
	return probed
}

// DialRaw opens a WebSocket from host with the WebSocket library, without this project's sockets.
func DialRaw(t *testing.T, host *memnet.Host, url string) *websocket.Conn {
	t.Helper()
	transport := &http.Transport{DialContext: host.DialContext, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(8 << 20)
	return ws
}

// ReadOne returns the next message. It fails the test on an error.
func ReadOne(t *testing.T, ws *websocket.Conn) []byte {
	t.Helper()
	_, data, err := ws.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Socket is this project's side of a connection.
type Socket interface{ Release() }

// Upgrade makes a WebSocket of an HTTP request, such as socket.Accept with fixed options.
type Upgrade[S Socket] func(w http.ResponseWriter, r *http.Request) (S, error)

// Accepting serves on n.Here with upgrade and returns the accepted sockets and the listener. A failed upgrade fails the
// test.
func Accepting[S Socket](t *testing.T, n *Network, upgrade Upgrade[S]) (<-chan S, *Listener) {
	t.Helper()
	accepted := make(chan S, 1)
	ln := Serve(t, n.Here, func(w http.ResponseWriter, r *http.Request) {
		s, err := upgrade(w, r)
		if err != nil {
			t.Error(err)
		}
		accepted <- s
	})
	return accepted, ln
}

// NewPair returns a connected socket, its far end, and the network connection below the socket, whose counters of
// writes start at 0. Both ends are closed at the test's end. Only in a bubble.
func NewPair[S Socket](t *testing.T, upgrade Upgrade[S]) (ours S, theirs *websocket.Conn, conn *Conn) {
	t.Helper()
	n := NewNetwork()
	accepted, ln := Accepting(t, n, upgrade)
	theirs = DialRaw(t, n.There, HereURL)
	ours, conn = <-accepted, ln.Conn()
	conn.Writes.Store(0)
	conn.Written.Store(0)
	t.Cleanup(func() {
		ours.Release()
		theirs.CloseNow()
	})
	return ours, theirs, conn
}
