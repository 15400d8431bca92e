package simulation

import (
	"bytes"
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// The message types of the simulation. Handlers ignore all other types; those are the transport's own.
const (
	typeTell   = wire.MessageType("tell")
	typeAsk    = wire.MessageType("ask")
	typeAnswer = wire.MessageType("answer")
)

// dedupTTL is the time for which the protocol remembers message IDs.
const dedupTTL = 5 * time.Minute

// gate controls the handlers of a node: they pass, block or panic. Safe for concurrent use.
type gate struct {
	mu     sync.Mutex
	shut   chan struct{} // closed when the gate opens; nil: open
	panics int           // number of following messages whose handlers panic
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
	}
	g.shut, g.panics = nil, 0
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut != nil
}

func (g *gate) panicNext(times int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.panics = times
}

// pass blocks while the gate is shut, and then panics if a panic is due.
func (g *gate) pass() {
	g.mu.Lock()
	shut, panics := g.shut, g.panics > 0
	if panics {
		g.panics--
	}
	g.mu.Unlock()
	if shut != nil {
		<-shut
	}
	if panics {
		panic("a handler of the simulation panics")
	}
}

// handler returns the message handler of the current incarnation of n, which is the last of lives.
func handler(n *node, lives []life) func(*supervisor.PeerConnection, *wire.Message) {
	return func(c *supervisor.PeerConnection, msg *wire.Message) {
		if msg.Type != typeTell && msg.Type != typeAsk && msg.Type != typeAnswer {
			return
		}
		n.w.checkDelivery(n, lives, c, msg)
		n.w.checkFormat(n, len(lives), c)
		n.gate.pass()
		if msg.Type == typeAsk {
			reply, err := msg.Reply(typeAnswer, len(msg.Payload))
			n.must(err)
			reply.From, reply.Timestamp = n.id, n.wall().UTC()
			n.w.dispatch(n.index, n.w.indexOf(c.Peer().ID), c, reply)
		}
	}
}

// checkDelivery checks the invariants of one delivery to n and records it.
func (w *world) checkDelivery(n *node, lives []life, c *supervisor.PeerConnection, msg *wire.Message) {
	from := w.indexOf(c.Peer().ID)
	// The peer sent every delivered message to this node, with this content.
	sent := w.ledger.sentTo(msg.ID, from, n.index)
	switch {
	case sent == nil:
		w.fault("node %d: got %s from %d, which never sent it there", n.index, msg.ID, from)
		return
	case msg.From != sent.From || msg.Type != sent.Type || !bytes.Equal(msg.Payload, sent.Payload):
		w.fault("node %d: %s from %d differs from the sent message", n.index, msg.ID, from)
	}
	for _, other := range w.ledger.deliver(msg.ID, delivery{at: time.Now(), to: n.index, life: len(lives), conn: c}) {
		// No message reaches the handler of a node twice within dedupTTL.
		if time.Since(other.at) < dedupTTL && remembered(c, msg, lives[other.life:]) {
			w.fault("node %d: %s from %d delivered twice, %v apart, in lives %d and %d",
				n.index, msg.ID, from, time.Since(other.at), other.life, len(lives))
		}
	}
	// The messages of one connection arrive in order.
	if w.ledger.overtaken(msg.ID, from, n.index, c) {
		w.fault("node %d: %s from %d came after a later one on the same connection", n.index, msg.ID, from)
	}
}

// remembered reports whether a node must reject a message that it received before the given later lives. A graceful
// restart keeps the seen IDs on disk. After a crash the IDs are lost, and the node rejects messages stamped before its
// start; the timestamp is later than that only if the clock of the author is ahead. In a session the author may send
// any timestamp.
func remembered(c *supervisor.PeerConnection, msg *wire.Message, later []life) bool {
	unclocked := c.Strength() > supervisor.Bound && c.Peer().ID == msg.From

	for _, l := range later {
		if !l.disk {
			return false
		}
		if l.crashed {
			return !unclocked && msg.Timestamp.Before(l.wall)
		}
	}
	return true
}

// rejectedAsStale reports whether a node rejects a message because its timestamp lies before a restart after a crash.
func rejectedAsStale(msg *wire.Message, lives []life) bool {
	for _, l := range lives {
		if l.disk && l.crashed && msg.Timestamp.Before(l.wall) {
			return true
		}
	}
	return false
}

func (w *world) indexOf(id string) int {
	for _, n := range w.nodes {
		if n.id == id {
			return n.index
		}
	}
	return -1
}
