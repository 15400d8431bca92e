package simulation

import (
	"context"
	"os"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// check checks what holds at any quiet moment.
func (w *world) check() {
	w.markTrouble()
	for _, n := range w.nodes {
		if n.up {
			w.checkSlots(n)
			w.checkRoutes(n)
		}
	}
	w.checkDelivered()
	w.checkTakeover()
}

// checkSlots compares a node's own count of its connections with what the network sees.
func (w *world) checkSlots(n *node) {
	// There are never more sockets than MaxConns, at no moment since the last start.
	if peak := n.host.Peak(); peak > n.most {
		w.fault("node %d: had %d sockets at once, MaxConns is %d", n.index, peak, n.most)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	status, err := n.transport.Status(ctx)
	if err != nil {
		w.fault("node %d: no status: %v", n.index, err)
		return
	}
	// The registry's places are the living sockets and the dials under way.
	places, seen := status.Connections.Established+status.Connections.Pending, n.host.Sockets()+n.host.Dialing()
	if places != seen {
		w.fault("node %d: the registry counts %d established and %d pending, the network %d sockets and %d dials",
			n.index, status.Connections.Established, status.Connections.Pending, n.host.Sockets(), n.host.Dialing())
	}
	// The directory names living connections only, one a peer.
	named := make(map[string]bool)
	for c := range n.transport.Connections() {
		if !w.alive(c) {
			w.fault("node %d: the connection that carries for %d is dead", n.index, w.indexOf(c.Peer().ID))
		}
		if named[c.Peer().ID] {
			w.fault("node %d: two connections carry for %d", n.index, w.indexOf(c.Peer().ID))
		}
		named[c.Peer().ID] = true
	}
	if len(named) > status.Connections.Established {
		w.fault("node %d: %d carriers, %d connections", n.index, len(named), status.Connections.Established)
	}
}

// checkDelivered checks every Send that returned nil and has had time to arrive.
func (w *world) checkDelivered() {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for _, d := range w.ledger.sends {
		// Every Send returns, within two write timeouts: the one under way, and its own.
		if d.ended == 0 && time.Since(d.at) > 21*time.Second && d.conn != nil {
			w.fault("node %d: Send of %s to %d at %v has not returned", d.from, d.id, d.to, d.at.Sub(w.began))
		}
		if d.settled || d.ended == 0 || time.Since(d.at) < 20*time.Second {
			continue
		}
		if d.err != nil || w.ledger.arrived(d.id, d.to) {
			d.settled = true
			continue
		}
		if w.nodes[d.to].gate.isShut() {
			continue // it may be waiting behind another one
		}
		if distrusted(w.ledger.made[d.id], w.nodes[d.to].lives) {
			continue
		}
		switch from := w.nodes[d.from]; {
		// Without a fault nothing that was sent is lost, duplicate connections or not.
		case d.conn != nil && d.at.After(w.trouble[pairOf(d.from, d.to)]) && time.Now().After(w.trouble[pairOf(d.from, d.to)]):
			w.fault("node %d: Send of %s to %d at %v returned nil, no fault was near, and it did not arrive", d.from, d.id, d.to, d.at.Sub(w.began))
			d.settled = true
		// With one, what was sent on a connection that lived on has arrived once the fault is over.
		case d.conn != nil && w.calm(d) && from.up && w.alive(d.conn):
			w.fault("node %d: Send of %s to %d at %v returned nil, its connection lives, and it did not arrive", d.from, d.id, d.to, d.at.Sub(w.began))
			d.settled = true
		}
	}
}

// calm reports whether the connection of a send must have shown by now whether it lives: the last fault is over for
// long, no bit was flipped since, and both nodes are the ones of then.
func (w *world) calm(d *dispatch) bool {
	pair := pairOf(d.from, d.to)
	return time.Now().After(w.trouble[pair]) && w.flipped[pair].Before(d.at) &&
		w.nodes[d.from].born.Before(d.at) && w.nodes[d.to].born.Before(d.at)
}

// checkWhole checks a mesh that was healed and had its time.
func (w *world) checkWhole() {
	if !w.roomy {
		return // not every pair finds room
	}
	for _, pair := range w.dials() {
		w.checkPair(w.nodes[pair[0]], w.nodes[pair[1]])
	}
	// Messages go both ways over each of them.
	for _, pair := range w.dials() {
		for _, way := range [][2]int{pair, {pair[1], pair[0]}} {
			w.probe(w.nodes[way[0]], w.nodes[way[1]])
		}
	}
}

// checkPair checks that two nodes of which one is to keep the other connected have one connection, and agree on it.
func (w *world) checkPair(a, b *node) {
	there, back := a.transport.GetConnection(b.id), b.transport.GetConnection(a.id)
	if there == nil || back == nil {
		w.fault("nodes %d and %d: not connected: %t there, %t back", a.index, b.index, there != nil, back != nil)
		return
	}
	if there.Direction() == back.Direction() {
		w.fault("nodes %d and %d: both think that the connection is %v", a.index, b.index, there.Direction())
	}
	if !there.Verified() || !back.Verified() {
		w.fault("nodes %d and %d: verified %t there, %t back", a.index, b.index, there.Verified(), back.Verified())
	}
	links := w.net.Links(a.ip, b.ip)
	if len(links) != 1 || !links[0].Whole() {
		w.fault("nodes %d and %d: %d connections", a.index, b.index, len(links))
		return
	}
	if (links[0].Opener() == a.ip) != (there.Direction() == supervisor.Outbound) {
		w.fault("nodes %d and %d: the connection is not the one that they name", a.index, b.index)
	}
}

// probe sends a message over what carries, and expects it within two seconds.
func (w *world) probe(a, b *node) {
	c := a.transport.GetConnection(b.id)
	if c == nil {
		return // a fault already
	}
	msg := w.message(a, typeTell, b.id)
	d := w.ledger.begin(msg, dispatch{from: a.index, to: b.index, conn: c})
	w.ledger.end(d, a.transport.Send(b.id, msg))
	w.pass(2 * time.Second)
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	if !w.ledger.arrived(msg.ID, b.index) {
		w.fault("nodes %d and %d: a probe did not arrive", a.index, b.index)
	}
}

// checkGone checks what is left when all nodes have stopped. That no goroutine is left the bubble checks.
func (w *world) checkGone() {
	// After Stop no connection is left.
	for _, leak := range w.net.Leaks() {
		w.fault("left open: %s", leak)
	}
	for _, n := range w.nodes {
		if n.dir != "" {
			_ = os.RemoveAll(n.dir)
		}
	}
}
