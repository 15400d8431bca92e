package actors

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

const (
	hereIP  = "10.0.0.1"
	thereIP = "10.0.0.2"
	hereURL = "ws://10.0.0.1:9091/ws"
)

// network is two hosts: the one under test, and the one that the test plays.
type network struct {
	*memnet.Network
	here, there *memnet.Host
}

func newNetwork() *network {
	n := memnet.New(1)
	return &network{Network: n, here: n.Attach(hereIP), there: n.Attach(thereIP)}
}

// probeConn counts writes and their deadlines, and can be made to panic in Close.
type probeConn struct {
	net.Conn
	writes, written, deadlines atomic.Int64
	panicOnClose               atomic.Bool
	exitOnRead, exitOnWrite    atomic.Bool
}

func (c *probeConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.exitOnRead.CompareAndSwap(true, false) {
		runtime.Goexit()
	}
	return n, err
}

func (c *probeConn) SetWriteDeadline(t time.Time) error {
	c.deadlines.Add(1)
	return c.Conn.SetWriteDeadline(t)
}

func (c *probeConn) Write(b []byte) (int, error) {
	if c.exitOnWrite.CompareAndSwap(true, false) {
		runtime.Goexit()
	}
	c.writes.Add(1)
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n))
	return n, err
}

func (c *probeConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

func (c *probeConn) Close() error {
	armed := c.panicOnClose.CompareAndSwap(true, false) // before the reader, which the end wakes, closes too
	err := c.Conn.Close()
	if armed {
		panic("close: injected")
	}
	return err
}

// probeListener remembers the connection that it accepted last.
type probeListener struct {
	net.Listener
	mu   sync.Mutex
	last *probeConn
}

func (l *probeListener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = &probeConn{Conn: raw}
	return l.last, nil
}

func (l *probeListener) conn() *probeConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// serve runs an HTTP server on host until the test's end.
func serve(t *testing.T, host *memnet.Host, handle http.HandlerFunc) *probeListener {
	t.Helper()
	ln, err := host.Listen(9091)
	if err != nil {
		t.Fatal(err)
	}
	probed := &probeListener{Listener: ln}
	server := &http.Server{Handler: handle}
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(probed) })
	t.Cleanup(func() {
		server.Close()
		done.Wait()
	})
	return probed
}

// dialRaw opens a WebSocket from host with the library alone.
func dialRaw(t *testing.T, host *memnet.Host, url string) *websocket.Conn {
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

// pair is a socket of ours, the far end of it, and the network connection under ours.
type pair struct {
	ours   *Socket
	theirs *websocket.Conn
	conn   *probeConn
}

// newPair opens one. Bubble only.
func newPair(t *testing.T, opts SocketOptions) *pair {
	t.Helper()
	n := newNetwork()
	accepted := make(chan *Socket, 1)
	ln := serve(t, n.here, func(w http.ResponseWriter, r *http.Request) {
		s, err := AcceptSocket(w, r, opts)
		if err != nil {
			t.Error(err)
		}
		accepted <- s
	})
	p := &pair{theirs: dialRaw(t, n.there, hereURL)}
	p.ours, p.conn = <-accepted, ln.conn()
	p.conn.writes.Store(0)
	p.conn.written.Store(0)
	t.Cleanup(func() {
		p.ours.release()
		p.theirs.CloseNow()
	})
	return p
}

// testOptions are the limits of a default node.
func testOptions() SocketOptions {
	return SocketOptions{ReadLimit: 1 << 20, MessageTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
}

func readOne(t *testing.T, ws *websocket.Conn) []byte {
	t.Helper()
	_, data, err := ws.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return data
}
