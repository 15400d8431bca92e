package simulation

import (
	"slices"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// expectDisconnects records the undisturbed peers of n, which is about to stop. The returned function checks, after the
// stop, that each of them received the disconnect and all messages sent before it.
func (w *world) expectDisconnects(n *node) func() {
	var peers []*node
	for _, peer := range w.nodes {
		if peer != n && peer.up && w.undisturbed(n, peer) && w.handshaken(n, peer) &&
			n.transport.GetConnection(peer.id) != nil && peer.transport.GetConnection(n.id) != nil {
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
			// Every peer receives a disconnect message with code 1004.
			if down.Code != wire.DisconnectShutdown || !down.Remote {
				w.fault("node %d: no disconnect from the graceful stop of %d, last event %+v", peer.index, n.index, down)
			}
			// Every message accepted before Stop has arrived.
			for _, d := range sent {
				w.ledger.mu.Lock()
				stale := rejectedAsStale(w.ledger.made[d.id], peer.lives)
				if d.to == peer.index && !w.ledger.arrived(d.id, d.to) && !stale {
					w.fault("node %d: Send of %s to %d returned nil before Stop; the message did not arrive",
						n.index, d.id, d.to)
				}
				w.ledger.mu.Unlock()
			}
		}
	}
}

// sentBy returns the sends of n that returned nil, began after the last fault and are not yet checked.
func (w *world) sentBy(n *node) (sent []*dispatch) {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for _, d := range w.ledger.sends {
		if d.from == n.index && d.conn != nil && d.ended != 0 && d.err == nil && !d.checked &&
			d.at.After(w.trouble[pairOf(d.from, d.to)]) {
			sent = append(sent, d)
		}
	}
	return sent
}

// handshaken reports whether every connection of two nodes is at least 3 s old, and so past its handshake.
func (w *world) handshaken(a, b *node) bool {
	for _, link := range w.net.Links(a.ip, b.ip) {
		if link.Age() < 3*time.Second {
			return false
		}
	}
	return true
}

// undisturbed reports whether no fault affects two nodes now.
func (w *world) undisturbed(a, b *node) bool {
	return time.Now().After(w.trouble[pairOf(a.index, b.index)]) && w.clean(a, b) &&
		!a.gate.isShut() && !b.gate.isShut() &&
		a.fuse.Load() == 0 && b.fuse.Load() == 0
}

// checkTakeover checks the pairs that have a half-open connection beside a whole one: 12 s after its start the whole
// connection is the route.
func (w *world) checkTakeover() {
	for i, a := range w.nodes {
		for _, b := range w.nodes[:i] {
			if !a.up || !b.up || !w.clean(a, b) || a.gate.isShut() || b.gate.isShut() ||
				a.rejectsStale() || b.rejectsStale() {
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

// rejectsStale reports whether a node may still reject messages stamped before its restart after a crash. A graceful
// restart in between does not end this.
func (n *node) rejectsStale() bool {
	return slices.ContainsFunc(n.lives, func(l life) bool {
		return l.disk && l.crashed && n.wall().Sub(l.wall) < dedupTTL
	})
}
