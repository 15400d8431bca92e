package simulation

import (
	"slices"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// farewell looks at a node that is about to stop, and returns what checks its goodbyes.
func (w *world) farewell(n *node) func() {
	var peers []*node
	for _, peer := range w.nodes {
		if peer != n && peer.up && w.serene(n, peer) && w.settled(n, peer) && n.transport.GetConnection(peer.id) != nil && peer.transport.GetConnection(n.id) != nil {
			peers = append(peers, peer)
		}
	}
	sent := w.sentBy(n)
	return func() {
		w.pass(time.Second)
		for _, peer := range peers {
			peer.mu.Lock()
			down := peer.downs[n.id]
			peer.mu.Unlock()
			// Every peer gets a disconnect message with code 1004.
			if down.Code != wire.DisconnectShutdown || !down.Remote {
				w.fault("node %d: knows of the graceful end of %d only this: %+v", peer.index, n.index, down)
			}
			// What was sent to it before has arrived.
			for _, d := range sent {
				w.ledger.mu.Lock()
				if d.to == peer.index && !w.ledger.arrived(d.id, d.to) && !distrusted(w.ledger.made[d.id], peer.lives) {
					w.fault("node %d: Send of %s to %d returned nil before Stop, and it did not arrive", n.index, d.id, d.to)
				}
				w.ledger.mu.Unlock()
			}
		}
	}
}

// sentBy returns the sends of a node that have returned nil and have met no fault.
func (w *world) sentBy(n *node) (sent []*dispatch) {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for _, d := range w.ledger.sends {
		if d.from == n.index && d.conn != nil && d.ended != 0 && d.err == nil && !d.settled && d.at.After(w.trouble[pairOf(d.from, d.to)]) {
			sent = append(sent, d)
		}
	}
	return sent
}

// settled reports whether every connection of two nodes is past its handshake on both sides.
func (w *world) settled(a, b *node) bool {
	for _, link := range w.net.Links(a.ip, b.ip) {
		if link.Age() < 3*time.Second {
			return false
		}
	}
	return true
}

// serene reports whether nothing disturbs two nodes now.
func (w *world) serene(a, b *node) bool {
	return time.Now().After(w.trouble[pairOf(a.index, b.index)]) && w.net.Clean(a.ip, b.ip) && !a.gate.isShut() && !b.gate.isShut() &&
		a.fuse.Load() == 0 && b.fuse.Load() == 0
}

// checkTakeover checks the pairs of which an old connection is half dead: the whole one beside it carries the traffic
// once it had time to show that it lives.
func (w *world) checkTakeover() {
	for i, a := range w.nodes {
		for _, b := range w.nodes[:i] {
			if !a.up || !b.up || !w.net.Clean(a.ip, b.ip) || a.gate.isShut() || b.gate.isShut() || a.doubts() || b.doubts() {
				continue
			}
			whole, half := false, false
			for _, link := range w.net.Links(a.ip, b.ip) {
				whole = whole || link.Whole() && link.Age() > 12*time.Second
				half = half || !link.Whole()
			}
			if whole && half {
				w.probe(a, b)
				w.probe(b, a)
			}
		}
	}
}

// doubts reports whether a node may still take messages for older ones than a crash of its: a graceful stop in between
// keeps the doubt.
func (n *node) doubts() bool {
	return slices.ContainsFunc(n.lives, func(l life) bool {
		return l.disk && l.crashed && n.wall().Sub(l.wall) < dedupTTL
	})
}
