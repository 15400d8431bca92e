package simulation

import (
	"context"
	"os"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// check checks the invariants that hold after every step.
func (w *world) check() {
	w.markTrouble()
	w.settle()
	for _, n := range w.nodes {
		if n.old != nil {
			w.collect(n)
		}
	}
	for _, n := range w.nodes {
		if n.up {
			w.checkSlots(n)
			w.checkRoutes(n)
		}
	}
	w.checkDelivered()
	w.checkReported()
	w.checkTakeover()
}

// checkSlots compares the registry's count of connections with the sockets and dials of the network.
func (w *world) checkSlots(n *node) {
	// Since its start the node never had more than MaxConns sockets at once.
	if peak := n.host.Peak(); peak > n.maxConns {
		w.fault("node %d: had %d sockets at once, MaxConns is %d", n.index, peak, n.maxConns)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	status, err := n.transport.Status(ctx)
	if err != nil {
		w.fault("node %d: no status: %v", n.index, err)
		return
	}
	// The slots of the registry are the open sockets and the dials in progress.
	slots, seen := status.Connections.Established+status.Connections.Pending, n.host.Sockets()+n.host.Dialing()
	if slots != seen {
		w.fault("node %d: the registry counts %d established and %d pending, the network %d sockets and %d dials",
			n.index, status.Connections.Established, status.Connections.Pending, n.host.Sockets(), n.host.Dialing())
	}
	// The route table holds running connections only, one per peer.
	routed := make(map[string]bool)
	for c := range n.transport.Connections() {
		if !w.alive(c) {
			w.fault("node %d: the route to %d is a dead connection", n.index, w.indexOf(c.Peer().ID))
		}
		if routed[c.Peer().ID] {
			w.fault("node %d: two routes to %d", n.index, w.indexOf(c.Peer().ID))
		}
		routed[c.Peer().ID] = true
	}
	if len(routed) > status.Connections.Established {
		w.fault("node %d: %d routes, %d connections", n.index, len(routed), status.Connections.Established)
	}
}

// checkDelivered checks every Send that began at least 20 s ago: it has returned, and a message accepted without a
// fault nearby has arrived.
func (w *world) checkDelivered() {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for _, d := range w.ledger.sends {
		// Send returns within two write timeouts: the one of the write in progress, and its own.
		if d.ended == 0 && time.Since(d.at) > 21*time.Second && d.conn != nil {
			w.fault("node %d: Send of %s to %d at %v has not returned", d.from, d.id, d.to, d.at.Sub(w.began))
		}
		if d.checked || d.ended == 0 || time.Since(d.at) < 20*time.Second {
			continue
		}
		if d.err != nil || w.ledger.arrived(d.id, d.to) {
			d.checked = true
			continue
		}
		if w.nodes[d.to].gate.isShut() {
			continue // the message may be queued behind another one
		}
		msg := w.ledger.made[d.id]
		unclocked := d.conn != nil && d.conn.Format().Session && w.nodes[d.from].id == msg.From
		if !unclocked && rejectedAsStale(msg, w.nodes[d.to].lives) {
			continue
		}
		if !unclocked && d.at.Sub(msg.Timestamp).Abs() > supervisor.DefaultTransportConfig().DedupTTL {
			continue // the author's clock had leapt; the author may be another node than the sender
		}
		trouble := w.trouble[pairOf(d.from, d.to)]
		switch from := w.nodes[d.from]; {
		// Without a fault no accepted message is lost, even during the contest of duplicate connections.
		case d.conn != nil && d.at.After(trouble) && time.Now().After(trouble):
			w.fault("node %d: Send of %s to %d at %v returned nil without a fault nearby; the message did not arrive",
				d.from, d.id, d.to, d.at.Sub(w.began))
			d.checked = true
		// After a fault, the messages sent on a connection that survived it have arrived.
		case d.conn != nil && w.calm(d) && from.up && w.alive(d.conn):
			w.fault("node %d: Send of %s to %d at %v returned nil and its connection lives; the message did not arrive",
				d.from, d.id, d.to, d.at.Sub(w.began))
			d.checked = true
		}
	}
}

// checkReported checks every Send that returned nil at least 90 s ago without a delivery: if its connection has ended,
// the sender has learnt from an event that its route to the peer ended or changed.
func (w *world) checkReported() {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for _, d := range w.ledger.sends {
		from := w.nodes[d.from]
		if d.reported || d.conn == nil || d.ended == 0 || time.Since(d.at) < 90*time.Second || from.gate.isShut() {
			continue
		}
		d.reported = true
		if d.err != nil || w.ledger.arrived(d.id, d.to) || !from.up || !from.born.Before(d.at) || w.alive(d.conn) {
			continue
		}
		from.mu.Lock()
		last := from.downAt[w.nodes[d.to].id]
		if moved := from.moved[w.nodes[d.to].id]; moved.After(last) {
			last = moved
		}
		if panicked := from.panicked; panicked.After(last) {
			last = panicked // the registry may have lost the event
		}
		from.mu.Unlock()
		if last.Before(d.at.Add(-time.Second)) {
			w.fault("node %d: Send of %s to %d at %v returned nil, the message did not arrive and no event reported the end",
				d.from, d.id, d.to, d.at.Sub(w.began))
		}
	}
}

// calm reports whether the connection of a send, if it is still open, must be healthy: the last fault is over, no bit
// was flipped since the send, and neither node has restarted.
func (w *world) calm(d *dispatch) bool {
	pair := pairOf(d.from, d.to)
	return time.Now().After(w.trouble[pair]) && w.flipped[pair].Before(d.at) &&
		w.nodes[d.from].born.Before(d.at) && w.nodes[d.to].born.Before(d.at)
}

// checkWhole checks that a healed mesh has reconnected: one connection per pair, and messages in both directions.
func (w *world) checkWhole() {
	if !w.roomy {
		return // MaxConns does not fit every pair
	}
	for _, pair := range w.dials() {
		w.checkPair(w.nodes[pair[0]], w.nodes[pair[1]])
	}
	// Each connection carries messages in both directions.
	for _, pair := range w.dials() {
		for _, way := range [][2]int{pair, {pair[1], pair[0]}} {
			w.probe(w.nodes[way[0]], w.nodes[way[1]])
		}
	}
}

// checkPair checks that two nodes have exactly one connection, and that both routes use it.
func (w *world) checkPair(a, b *node) {
	switch {
	case a.old != nil && b.old != nil:
		return
	case a.old != nil:
		w.checkOld(b, a)
		return
	case b.old != nil:
		w.checkOld(a, b)
		return
	case !w.compatible(a, b):
		for _, c := range []*supervisor.PeerConnection{a.transport.GetConnection(b.id), b.transport.GetConnection(a.id)} {
			if c != nil && !c.Format().Session { // a session from before a change of the mode stays open
				w.fault("nodes %d and %d with sessions %v and %v are connected", a.index, b.index, a.mode(), b.mode())
			}
		}
		return
	}
	there, back := a.transport.GetConnection(b.id), b.transport.GetConnection(a.id)
	if there == nil || back == nil {
		w.fault("nodes %d and %d: not connected: %t there, %t back", a.index, b.index, there != nil, back != nil)
		return
	}
	if there.Direction() == back.Direction() {
		w.fault("nodes %d and %d: both see the connection as %v", a.index, b.index, there.Direction())
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
		w.fault("nodes %d and %d: the open connection is not the routed one", a.index, b.index)
	}
	w.checkFormats(a, b, there, back, time.Now().Add(-links[0].Age()))
}

// checkFormats checks that two nodes use the strongest format that both had at the time when their connection was made.
func (w *world) checkFormats(a, b *node, there, back *supervisor.PeerConnection, made time.Time) {
	modeA, sureA := a.modeAt(made)
	modeB, sureB := b.modeAt(made)
	if !sureA || !sureB {
		return
	}
	want := supervisor.Bound
	session, _ := common(modeA, modeB)
	if session {
		want = supervisor.Session
	}
	formats, dialler := there.Format(), a
	if there.Direction() == supervisor.Inbound {
		dialler = b
	}
	if there.Strength() != want || back.Strength() != want || formats != back.Format() ||
		formats.Session != session || session && formats.KEM != dialler.pq {
		w.fault("nodes %d and %d with sessions %v and %v: strength %v there, %v back, formats %+v and %+v", a.index, b.index,
			modeA, modeB, there.Strength(), back.Strength(), formats, back.Format())
	}
}

// probe sends a message over the route to b and expects its delivery within 2 s.
func (w *world) probe(a, b *node) {
	if !a.up {
		return
	}
	c := a.transport.GetConnection(b.id)
	if c == nil {
		return // checkPair reports it
	}
	msg := w.message(a, typeTell, b.id)
	d := w.ledger.begin(msg, dispatch{from: a.index, to: b.index, conn: c})
	w.ledger.end(d, a.transport.Send(b.id, msg))
	w.pass(2 * time.Second)
	if b.old != nil {
		w.collect(b)
	}
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	if !w.ledger.arrived(msg.ID, b.index) {
		w.fault("nodes %d and %d: a probe did not arrive", a.index, b.index)
	}
}

// checkGone checks that all stopped nodes have left no connection. The bubble itself checks for leaked goroutines.
func (w *world) checkGone() {
	// Stop closes every connection.
	for _, leak := range w.net.Leaks() {
		w.fault("left open: %s", leak)
	}
	for _, n := range w.nodes {
		if n.dir != "" {
			_ = os.RemoveAll(n.dir)
		}
	}
}
