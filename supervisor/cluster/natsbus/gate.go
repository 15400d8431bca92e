package natsbus

import (
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/accept"
)

// Limits of connections that are no routes.
const (
	maxStrangers   = 64                            // at the same time; fewer if the process has few file descriptors
	strangersShare = 12                            // they take a quarter of the descriptors, three each
	strangerWithin = routeTLSTimeout * time.Second // for the first bytes
	dialWithin     = time.Second                   // to the NATS server of this process
	settleWithin   = 250 * time.Millisecond        // for handshakes, before the configuration changes
	settleEvery    = 10 * time.Millisecond
	gateReserve    = 1 // file descriptors
)

// gate listens for other members in place of the NATS server, which listens on 127.0.0.1. That server limits neither
// the number of connections without a certificate nor the log of them, and each one that stalls in its handshake delays
// a change of the configuration. The gate passes bytes on unchanged; TLS ends in the server.
//
//	member ─▶ stranger: one of 64 slots ─first bytes of TLS─▶ NATS server ─the server lists it─▶ route
//
// If all slots are taken, a stranger is closed, see victim. Safe for concurrent use.
type gate struct {
	listener *accept.Listener
	inner    string          // address of the NATS server
	listed   func() []uint16 // ports at the gate of the routes that the server lists
	log      *actors.LimitedLogger
	slots    int // of strangers
	group    sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	strangers map[*passage]bool
	byPort    map[uint16]*passage // with a connection to the server, by its port at the gate
	paused    chan struct{}       // closed at the end of the pause; nil: no pause
	past      []portOf            // of the last connections to the server, at most maxStrangers
	known     map[netip.Addr]bool // addresses of members
	listedAt  time.Time           // last call of listed
}

// portOf is the address of a connection, by its port at the gate.
type portOf struct {
	port uint16
	from netip.Addr
}

// passage is one connection. The lock of the gate guards the fields after outer.
type passage struct {
	outer net.Conn
	from  netip.Addr
	born  time.Time
	inner net.Conn // to the NATS server; nil: none
	ended bool
}

// newGate listens at an address. descriptors is the maximum number of open file descriptors of the process; 0: unknown.
func newGate(address netip.AddrPort, descriptors int, log *actors.LimitedLogger) (*gate, error) {
	listener, err := net.Listen("tcp", address.String())
	if err != nil {
		return nil, err
	}
	g := &gate{
		log: log, slots: accept.Share(maxStrangers, descriptors, strangersShare),
		strangers: make(map[*passage]bool), byPort: make(map[uint16]*passage),
	}
	g.listener = accept.New(listener, gateReserve, func(f accept.Failure) {
		log.Error("connections of other members cannot be accepted", "error", f.Err, "ended", f.Ended)
	})
	return g, nil
}

// address returns the address of the listener.
func (g *gate) address() netip.AddrPort { return addressOf(g.listener.Addr()) }

func addressOf(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	found := tcp.AddrPort()
	return netip.AddrPortFrom(found.Addr().Unmap(), found.Port())
}

// open starts to accept connections. inner is the address of the NATS server, listed returns the ports at the gate of
// the routes that it lists.
func (g *gate) open(inner string, listed func() []uint16) {
	g.inner, g.listed = inner, listed
	g.group.Go(func() {
		for {
			conn, err := g.listener.Accept()
			if err != nil {
				return
			}
			if p := g.admit(conn); p != nil {
				g.group.Go(func() { g.pass(p) })
			}
		}
	})
}

// close ends all connections and waits for their goroutines.
func (g *gate) close() {
	_ = g.listener.Close()
	g.mu.Lock()
	g.closed = true
	for p := range g.strangers {
		g.end(p)
	}
	for _, p := range g.byPort {
		g.end(p)
	}
	g.mu.Unlock()
	g.group.Wait()
}

// admit gives a connection a slot. It returns nil after close.
func (g *gate) admit(conn net.Conn) *passage {
	p := &passage{outer: conn, from: addressOf(conn.RemoteAddr()).Addr(), born: time.Now()}
	g.acceptListed(p.born)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		_ = conn.Close()
		return nil
	}
	if len(g.strangers) >= g.slots {
		v := victim(slices.Collect(maps.Keys(g.strangers)), g.known)
		g.log.Warn("too many connections to the port for members are no members: the oldest were closed", "address", v.from)
		g.end(v)
	}
	g.strangers[p] = true
	return p
}

// pass passes the bytes of a connection on until one side closes it.
func (g *gate) pass(p *passage) {
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.end(p)
	}()
	first := make([]byte, 5) // header of a TLS record
	_ = p.outer.SetReadDeadline(time.Now().Add(strangerWithin))
	if _, err := io.ReadFull(p.outer, first); err != nil || first[0] != 22 || first[1] != 3 {
		return // silent, or no handshake of TLS
	}
	_ = p.outer.SetReadDeadline(time.Time{}) // the server limits the rest of the handshake
	inner := g.connect(p)
	if inner == nil {
		return
	}
	if _, err := inner.Write(first); err != nil {
		return
	}
	g.group.Go(func() {
		_, _ = io.Copy(p.outer, inner) // an error ends the connection, as an end does
		_ = p.outer.Close()
	})
	_, _ = io.Copy(inner, p.outer)
}

// connect opens the connection to the NATS server, after a pause. It returns nil if the passage has ended.
func (g *gate) connect(p *passage) net.Conn {
	g.mu.Lock()
	paused := g.paused
	g.mu.Unlock()
	if paused != nil {
		<-paused
	}
	conn, err := net.DialTimeout("tcp", g.inner, dialWithin)
	if err != nil {
		g.log.Warn("the NATS server of this process does not answer", "error", err)
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.ended || g.paused != nil {
		_ = conn.Close()
		return nil
	}
	p.inner = conn
	g.byPort[addressOf(conn.LocalAddr()).Port()] = p
	return conn
}

// end closes a passage. g.mu is held.
func (g *gate) end(p *passage) {
	if p.ended {
		return
	}
	p.ended = true
	delete(g.strangers, p)
	_ = p.outer.Close()
	if p.inner != nil {
		_ = p.inner.Close()
		port := addressOf(p.inner.LocalAddr()).Port()
		delete(g.byPort, port)
		g.past = append(g.past[max(0, len(g.past)-maxStrangers+1):], portOf{port, p.from})
	}
}

// accept frees the slot of a route: the server lists a member at this port of the gate. It returns the address of the
// member.
func (g *gate) accept(port uint16) (from netip.Addr, found bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.byPort[port]
	if p == nil {
		return from, false
	}
	delete(g.strangers, p)
	return p.from, true
}

// retain ends the routes that the server lists no more, by their ports at the gate. Otherwise bytes that wait for a
// member that is cut off would keep them.
func (g *gate) retain(ports map[uint16]bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for port, p := range g.byPort {
		if !g.strangers[p] && !ports[port] {
			g.end(p)
		}
	}
}

// origin returns the address of the stranger or member at a port of the gate, for the log.
func (g *gate) origin(port uint16) (from netip.Addr, found bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.byPort[port]; p != nil {
		return p.from, true
	}
	for _, o := range slices.Backward(g.past) { // the line follows the end of the connection
		if o.port == port {
			return o.from, true
		}
	}
	return from, false
}

// during calls change while no stranger has a connection to the server. Handshakes have 250 ms to end before.
// refresh calls accept for the routes.
func (g *gate) during(refresh, change func()) {
	g.mu.Lock()
	paused := make(chan struct{})
	g.paused = paused
	g.mu.Unlock()
	for until := time.Now().Add(settleWithin); g.connected() && time.Now().Before(until); {
		time.Sleep(settleEvery) // the server has no event for a new route
		refresh()
	}
	g.mu.Lock()
	for p := range g.strangers {
		if p.inner != nil {
			g.end(p)
		}
	}
	g.mu.Unlock()
	change()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.paused = nil
	close(paused)
}

// connected reports whether a stranger has a connection to the server.
func (g *gate) connected() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for p := range g.strangers {
		if p.inner != nil {
			return true
		}
	}
	return false
}
