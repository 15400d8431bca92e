package natsbus

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// handshake opens a connection through the gate to the server, and returns its port at the gate.
func handshake(t *testing.T, g *gate, server net.Listener) (port uint16) {
	t.Helper()
	strangers(t, 1, "127.0.0.9", g.address().String(), hello)
	inner, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inner.Close() })
	port = addressOf(inner.RemoteAddr()).Port()
	await(t, "the note of the connection", func() bool { _, found := g.origin(port); return found })
	return port
}

// A change of the configuration ends handshakes that stall. One that becomes a route meanwhile stays, and so does a
// stranger without a connection to the server.
func TestChangeEndsStalledHandshakesOnly(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	strangers(t, 1, "127.0.0.9", g.address().String(), nil)
	await(t, "the silent stranger", func() bool { n, _, _ := g.connections(); return n == 1 })
	refreshed := 0
	refresh := func() { refreshed++ }
	g.during(refresh, func() {})
	if n, _, _ := g.connections(); refreshed != 0 || n != 1 {
		t.Errorf("%d waits for a stranger without a connection to the server, %d strangers after the change", refreshed, n)
	}
	route, stalled := handshake(t, g, server), handshake(t, g, server)
	g.during(func() { g.accept(route) }, func() {
		if n, open, former := g.connections(); n != 1 || open != 1 || former != 1 {
			t.Errorf("%d strangers, %d open connections and %d former ones in the change, want one each", n, open, former)
		}
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byPort[route] == nil || g.byPort[stalled] != nil {
		t.Error("the change has ended the route, or not the handshake that stalls")
	}
}

// lingering is a connection whose reader notices its end late.
type lingering struct {
	net.Conn
	ended atomic.Bool
}

func (l *lingering) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if err != nil {
		time.Sleep(50 * time.Millisecond)
		l.ended.Store(true)
	}
	return n, err
}

// The close of the gate waits for its goroutines.
func TestCloseWaitsForPassages(t *testing.T) {
	g, _ := gateBefore(t, listsNone)
	near, far := net.Pipe()
	defer far.Close()
	outer := &lingering{Conn: near}
	p := g.admit(outer)
	g.group.Go(func() { g.pass(p) })
	if g.close(); !outer.ended.Load() {
		t.Error("a goroutine runs after the close")
	}
}

// A passage that ends twice is noted once: another connection may have its port at the second end.
func TestPassageEndsOnce(t *testing.T) {
	g, server := gateBefore(t, listsNone)
	port := handshake(t, g, server)
	g.mu.Lock()
	p := g.byPort[port]
	g.end(p)
	g.byPort[port] = &passage{outer: p.outer}
	g.end(p)
	kept := g.byPort[port] != nil
	delete(g.byPort, port)
	g.mu.Unlock()
	if strangers, _, former := g.connections(); !kept || strangers != 0 || former != 1 {
		t.Errorf("the next connection of the port is noted: %v; %d strangers, %d former ones", kept, strangers, former)
	}
}

// With all slots taken the server is asked for its routes every 10 ms at most, and otherwise not at all.
func TestFullGateListsRoutesSeldom(t *testing.T) {
	listed := 0
	g := &gate{strangers: make(map[*passage]bool), listed: func() []uint16 {
		listed++
		return nil
	}}
	now := time.Now()
	for len(g.strangers) < maxStrangers {
		g.acceptListed(now)
		g.strangers[&passage{}] = true
	}
	for later, want := range []int{1, 2} {
		for _, after := range []time.Duration{0, settleEvery - 1} {
			if g.acceptListed(now.Add(time.Duration(later)*settleEvery + after)); listed != want {
				t.Errorf("%d: the server was asked %d times, want %d", later, listed, want)
			}
		}
	}
}

// The address of a connection is the same over a listener for IPv4 and one for both families.
func TestAddressesAreUnmapped(t *testing.T) {
	for address, want := range map[net.Addr]string{
		&net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 5}:   "192.0.2.1:5",
		&net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 5}: "[2001:db8::1]:5",
	} {
		if got := addressOf(address); got != netip.MustParseAddrPort(want) {
			t.Errorf("%v: %v, want %s", address, got, want)
		}
	}
	near, far := net.Pipe()
	_, _ = near.Close(), far.Close()
	if got := addressOf(near.RemoteAddr()); got.IsValid() {
		t.Errorf("the address of a pipe is %v", got)
	}
}
