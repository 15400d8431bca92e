package refpeer

import (
	"context"
	"errors"
	"net"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNoEntry means that a deployed node has no map entry for the peer. It then cannot send, even over an open
// connection.
var ErrNoEntry = errors.New("refpeer: no entry for this peer")

// registeredName is the pattern of the names that a deployed node registers (section 8).
var registeredName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_ -]{0,62}[A-Za-z0-9])?$`)

// DeployedOptions configure a deployed node. Identity and PingInterval are required.
type DeployedOptions struct {
	Identity *Identity
	// PingInterval is the time between two keepalives of one connection. A keepalive sends a ping. If the connection
	// has ended, it deletes the map entry of the peer instead, even if the entry holds another connection.
	PingInterval time.Duration
	// Worker makes the node answer pings.
	Worker bool
	// Allow holds the IDs that inbound peers may claim; nil: all. Outbound connections are not checked.
	Allow []string
	// Listener accepts connections; nil: the node only dials.
	Listener net.Listener
	// NetDial opens network connections; nil: net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Deployed behaves like the deployed nodes up to v0.2.2 (section 8): it has one map entry per peer ID, which each new
// connection overwrites and the end of any connection to that peer deletes. Safe for concurrent use.
type Deployed struct {
	o      DeployedOptions
	server *Server // nil: the node only dials
	stop   context.CancelFunc
	ended  context.Context
	loops  sync.WaitGroup
	refuse atomic.Bool

	mu         sync.Mutex
	entries    map[string]*Conn // the map that sends and broadcasts use
	conns      []*Conn          // open connections, oldest first
	registered map[string]bool  // peer IDs in the statistics
	received   []Envelope       // all messages except pings and pongs
	more       chan struct{}    // closed and replaced at each change
}

// StartDeployed starts the node. Close ends it.
func StartDeployed(o DeployedOptions) *Deployed {
	d := &Deployed{o: o, entries: make(map[string]*Conn), registered: make(map[string]bool), more: make(chan struct{})}
	d.ended, d.stop = context.WithCancel(context.Background())
	if o.Listener == nil {
		return d
	}
	d.server = Serve(o.Listener, Options{Identity: o.Identity, Pong: o.Worker, Allow: o.Allow, RefuseNow: d.refuse.Load})
	d.loops.Go(func() {
		for {
			conn, err := d.server.Accept(d.ended)
			if err != nil {
				return
			}
			d.enter(conn)
		}
	})
	return d
}

// Connect dials url (ws:// or wss://).
func (d *Deployed) Connect(ctx context.Context, url string) error {
	conn, err := Dial(ctx, url, Options{Identity: d.o.Identity, Pong: d.o.Worker, NetDial: d.o.NetDial})
	if err == nil {
		d.enter(conn)
	}
	return err
}

// enter overwrites the map entry of the peer and starts the two loops of the connection.
func (d *Deployed) enter(conn *Conn) {
	peer := conn.Peer()
	d.change(func() {
		d.entries[peer.ID] = conn
		d.conns = append(d.conns, conn)
		if registeredName.MatchString(peer.Name) {
			d.registered[peer.ID] = true
		}
	})
	d.loops.Go(func() { d.receive(conn) })
	d.loops.Go(func() { d.keepAlive(conn) })
}

// receive is the read loop. Its end deletes the map entry of the peer.
func (d *Deployed) receive(conn *Conn) {
	for {
		e, err := conn.Recv(context.Background())
		switch {
		case err != nil:
			d.forget(conn)
			return
		case e.Type == TypeDisconnect:
			conn.Close()
		case e.Type != TypePing && e.Type != TypePong:
			d.change(func() { d.received = append(d.received, e) })
		}
	}
}

// keepAlive sends a ping every PingInterval. A failed ping ends the loop and deletes the map entry of the peer, so the
// keepalive of an old connection deletes the entry of a new one.
func (d *Deployed) keepAlive(conn *Conn) {
	ticker := time.NewTicker(d.o.PingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-d.ended.Done():
			return
		case now := <-ticker.C:
			if _, err := conn.Send(TypePing, conn.Peer().ID, map[string]int64{"sentAt": now.UnixMilli()}); err != nil {
				d.forget(conn)
				return
			}
		}
	}
}

// forget deletes the map entry by peer ID, not by connection.
func (d *Deployed) forget(conn *Conn) {
	d.change(func() {
		delete(d.entries, conn.Peer().ID)
		d.conns = slices.DeleteFunc(d.conns, func(c *Conn) bool { return c == conn })
	})
}

// change changes the state and wakes the waiting methods.
func (d *Deployed) change(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
	close(d.more)
	d.more = make(chan struct{})
}

// Send sends a message over the connection in the peer's map entry and returns the message ID. It returns ErrNoEntry if
// the peer has no entry.
func (d *Deployed) Send(peer, typ string, payload any) (string, error) {
	d.mu.Lock()
	conn := d.entries[peer]
	d.mu.Unlock()
	if conn == nil {
		return "", ErrNoEntry
	}
	return conn.Send(typ, peer, payload)
}

// Broadcast sends a message to every peer with a map entry and returns the number of successful sends.
func (d *Deployed) Broadcast(typ string, payload any) int {
	d.mu.Lock()
	var all []*Conn
	for _, conn := range d.entries {
		all = append(all, conn)
	}
	d.mu.Unlock()
	sent := 0
	for _, conn := range all {
		if _, err := conn.Send(typ, "", payload); err == nil {
			sent++
		}
	}
	return sent
}

// Knows reports whether a peer has a map entry.
func (d *Deployed) Knows(peer string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.entries[peer] != nil
}

// Registered reports whether a peer is in the statistics.
func (d *Deployed) Registered(peer string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.registered[peer]
}

// Conns returns the open connections to a peer, oldest first, whether the peer has a map entry or not.
func (d *Deployed) Conns(peer string) []*Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	var of []*Conn
	for _, conn := range d.conns {
		if conn.Peer().ID == peer {
			of = append(of, conn)
		}
	}
	return of
}

// Received returns all messages except pings and pongs, in the order of arrival.
func (d *Deployed) Received() []Envelope {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.received)
}

// Await waits until condition returns true. It evaluates the condition at first and after each change of the node.
func (d *Deployed) Await(ctx context.Context, condition func() bool) error {
	for {
		d.mu.Lock()
		more := d.more
		d.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close stops the node without disconnect messages and waits for its goroutines.
func (d *Deployed) Close() {
	d.stop()
	if d.server != nil {
		d.server.Close()
	}
	d.mu.Lock()
	open := slices.Clone(d.conns)
	d.mu.Unlock()
	for _, conn := range open {
		conn.Close()
	}
	d.loops.Wait()
}

// Refuse sets whether the node refuses every inbound handshake.
func (d *Deployed) Refuse(on bool) { d.refuse.Store(on) }

// Identity returns the node's own identity.
func (d *Deployed) Identity() *Identity { return d.o.Identity }
