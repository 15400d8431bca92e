package hostile

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/refpeer"
	"github.com/Snider/go-p2p/wire"
)

// node is a Transport under attack, in this process. What it says is kept until the end of the test.
type node struct {
	*supervisor.Transport
	t    *testing.T
	keys *crypto.NodeManager
	book *supervisor.PeerRegistry
	log  *journal

	faults supervisor.Faults

	mu       sync.Mutex
	events   []supervisor.Event
	messages []received
	more     chan struct{} // closed and replaced with every event and message
}

// received is a message and the peer that delivered it.
type received struct {
	peer string
	*wire.Message
}

// setup says how a node differs from one with the defaults. The zero value does not.
type setup struct {
	config  func(*supervisor.TransportConfig)
	options []supervisor.Option
	keys    *crypto.NodeManager
	book    *supervisor.PeerRegistry
	handle  func(*supervisor.PeerConnection, *wire.Message) // runs before the message is noted
}

// start runs a node on a free loopback port until the test ends.
func start(t *testing.T, s setup) *node {
	t.Helper()
	n := &node{t: t, keys: s.keys, book: s.book, log: newJournal(), more: make(chan struct{})}
	var err error
	if n.keys == nil {
		n.keys, err = crypto.NewEphemeralNodeManager("victim", crypto.RoleDual)
		must(t, err)
	}
	if n.book == nil {
		n.book = supervisor.NewPeerRegistry()
	}
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0"
	if s.config != nil {
		s.config(&cfg)
	}
	options := append([]supervisor.Option{supervisor.WithLogger(n.log.logger()), supervisor.WithFaults(&n.faults)}, s.options...)
	n.Transport, err = supervisor.NewTransport(n.keys, n.book, cfg, options...)
	must(t, err)
	n.OnMessage(func(c *supervisor.PeerConnection, msg *wire.Message) {
		if s.handle != nil {
			s.handle(c, msg)
		}
		n.note(func() { n.messages = append(n.messages, received{c.Peer().ID, msg}) })
	})
	n.OnEvent(func(e supervisor.Event) { n.note(func() { n.events = append(n.events, e) }) })
	must(t, n.Start())
	t.Cleanup(n.end)
	return n
}

func (n *node) end() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.StopContext(ctx); err != nil {
		n.t.Errorf("stop: %v", err)
	}
}

func (n *node) id() string { return n.Identity().ID }

func (n *node) note(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
	close(n.more)
	n.more = make(chan struct{})
}

// await waits until what the node has said satisfies a condition, which is asked with the lock held.
func (n *node) await(what string, ok func() bool) {
	n.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		n.mu.Lock()
		done, more := ok(), n.more
		n.mu.Unlock()
		if done {
			return
		}
		select {
		case <-more:
		case <-timeout.C:
			n.fatalf("waited %v for %s", patience, what)
		}
	}
}

// awaitMessage waits for the message with an ID.
func (n *node) awaitMessage(id string) received {
	n.t.Helper()
	var found received
	n.await("message "+id, func() bool {
		i := slices.IndexFunc(n.messages, func(m received) bool { return m.ID == id })
		if i >= 0 {
			found = n.messages[i]
		}
		return i >= 0
	})
	return found
}

// awaitEvent waits for an event that was or will be.
func awaitEvent[E supervisor.Event](n *node, what string, ok func(E) bool) E {
	n.t.Helper()
	var found E
	n.await(what, func() bool {
		for _, e := range n.events {
			if e, is := e.(E); is && ok(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// awaitDown waits for a peer's end.
func (n *node) awaitDown(peer string) supervisor.PeerDown {
	n.t.Helper()
	return awaitEvent(n, "the end of "+peer, func(e supervisor.PeerDown) bool { return e.Peer == peer })
}

// count is how many messages satisfy a condition so far.
func (n *node) count(ok func(received) bool) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := 0
	for _, m := range n.messages {
		if ok(m) {
			found++
		}
	}
	return found
}

// counter is one counter's value.
func (n *node) counter(name string) int {
	value, known := n.Counters()[name]
	if !known {
		n.t.Fatalf("no counter %q", name)
	}
	return int(value)
}

// connections are the node's own count of them.
func (n *node) connections() supervisor.ConnectionCounts {
	n.t.Helper()
	status, err := n.Status(withTimeout(n.t))
	must(n.t, err)
	return status.Connections
}

// awaitConnections asks until the node counts so many established and pending connections. The node's answers are the
// only sign of a slot that is given back.
func (n *node) awaitConnections(established, pending int) {
	n.t.Helper()
	n.poll("connections", func() bool {
		c := n.connections()
		return c.Established == established && c.Pending == pending
	})
}

// poll asks for something that nothing announces until it is so.
func (n *node) poll(what string, ok func() bool) {
	n.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			n.fatalf("waited %v for %s; connections %+v, counters %v", patience, what, n.connections(), n.Counters())
		}
	}
}

func (n *node) fatalf(format string, args ...any) {
	n.t.Helper()
	n.t.Logf("the node's log:\n%s", n.log)
	n.t.Fatalf(format, args...)
}

// send sends a message from the node to a peer.
func (n *node) send(peer, typ string, payload any) *wire.Message {
	n.t.Helper()
	msg, err := wire.NewMessage(wire.MessageType(typ), n.id(), peer, payload)
	must(n.t, err)
	must(n.t, n.Send(peer, msg))
	return msg
}

// honest is a connected reference peer with the node at the other end.
type honest struct {
	*refpeer.Conn
	self *refpeer.Identity
	n    *node
}

// join connects a reference peer, which is made when the options name none.
func join(n *node, o refpeer.Options) *honest {
	n.t.Helper()
	if o.Identity == nil {
		o.Identity = identity(n.t, "honest")
	}
	conn, err := refpeer.Dial(withTimeout(n.t), n.URL(), o)
	if err != nil {
		n.fatalf("an honest peer cannot connect: %v", err)
	}
	n.t.Cleanup(conn.Close)
	return &honest{conn, o.Identity, n}
}

// say sends one message and waits until the node's handler has it: it proves the peer, and what it sent before has
// been judged.
func (h *honest) say(typ string, payload any) received {
	h.n.t.Helper()
	id, err := h.Send(typ, h.n.id(), payload)
	if err != nil {
		h.n.fatalf("an honest peer cannot send: %v", err)
	}
	return h.n.awaitMessage(id)
}

// next is the next message of a type from the node.
func (h *honest) next(typ string) refpeer.Envelope {
	h.n.t.Helper()
	e, err := h.RecvType(withTimeout(h.n.t), typ)
	if err != nil {
		h.n.fatalf("an honest peer waits for %q: %v", typ, err)
	}
	return e
}

// awaitEnd waits until the connection has ended.
func (h *honest) awaitEnd() {
	h.n.t.Helper()
	select {
	case <-h.Done():
	case <-withTimeout(h.n.t).Done():
		h.n.fatalf("the connection of %s still stands", h.self.Name)
	}
}

// standing requires that the connection has not ended.
func (h *honest) standing() {
	h.n.t.Helper()
	if err := h.Err(); err != nil {
		h.n.fatalf("the connection of %s ended: %v", h.self.Name, err)
	}
}

func identity(t *testing.T, name string) *refpeer.Identity {
	t.Helper()
	id, err := refpeer.New(name)
	must(t, err)
	return id
}

// withTimeout is a context that ends with the test or after patience.
func withTimeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
