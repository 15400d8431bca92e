package simulation

import (
	"bytes"
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// The messages of the simulation. Everything else in a handler is the transport's own.
const (
	typeTell   = wire.MessageType("tell")
	typeAsk    = wire.MessageType("ask")
	typeAnswer = wire.MessageType("answer")
)

// dedupTTL is the protocol's.
const dedupTTL = 5 * time.Minute

// gate is what a node's handlers pass: open, shut, or a panic.
type gate struct {
	mu     sync.Mutex
	shut   chan struct{} // closed when the gate opens; nil: open
	panics int           // of the next messages, how many end in a panic
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

func (g *gate) crack(times int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.panics = times
}

// pass blocks or panics, as it is told.
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

// handler is what the present incarnation of a node does with its messages; lives are all so far, it the last.
func handler(n *node, lives []life) func(*supervisor.PeerConnection, *wire.Message) {
	return func(c *supervisor.PeerConnection, msg *wire.Message) {
		if msg.Type != typeTell && msg.Type != typeAsk && msg.Type != typeAnswer {
			return
		}
		n.w.judge(n, lives, c, msg)
		n.gate.pass()
		if msg.Type == typeAsk {
			reply, err := msg.Reply(typeAnswer, len(msg.Payload))
			n.must(err)
			reply.From, reply.Timestamp = n.id, n.wall().UTC()
			n.w.dispatch(n.index, n.w.indexOf(c.Peer().ID), c, reply)
		}
	}
}

// judge checks what can be checked at the moment of a delivery.
func (w *world) judge(n *node, lives []life, c *supervisor.PeerConnection, msg *wire.Message) {
	from := w.indexOf(c.Peer().ID)
	// Nothing is delivered that was not sent, to this node, by the one who delivers it, with this content.
	sent := w.ledger.sentTo(msg.ID, from, n.index)
	switch {
	case sent == nil:
		w.fault("node %d: got %s from %d, who never sent it there", n.index, msg.ID, from)
		return
	case msg.From != sent.From || msg.Type != sent.Type || !bytes.Equal(msg.Payload, sent.Payload):
		w.fault("node %d: %s from %d is not what was sent", n.index, msg.ID, from)
	}
	for _, other := range w.ledger.deliver(msg.ID, delivery{at: time.Now(), to: n.index, life: len(lives), conn: c}) {
		// No message reaches a node's handler twice within the TTL.
		if time.Since(other.at) < dedupTTL && remembered(msg, lives[other.life:]) {
			w.fault("node %d: %s from %d delivered twice, %v apart, in lives %d and %d", n.index, msg.ID, from, time.Since(other.at), other.life, len(lives))
		}
	}
	// The messages of one connection are in order.
	if w.ledger.overtaken(msg.ID, from, n.index, c) {
		w.fault("node %d: %s from %d came after a later one on the same connection", n.index, msg.ID, from)
	}
}

// remembered reports whether a node must still know a message that it had before some later lives of it: a graceful
// restart keeps what was seen, on a disk; after a crash the message gives itself away by its stamp from before the
// start, unless its maker's clock is ahead.
func remembered(msg *wire.Message, later []life) bool {
	for _, l := range later {
		if !l.disk {
			return false
		}
		if l.crashed {
			return msg.Timestamp.Before(l.wall)
		}
	}
	return true
}

// distrusted reports whether a node takes a message for one that it may have seen before a crash.
func distrusted(msg *wire.Message, lives []life) bool {
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
