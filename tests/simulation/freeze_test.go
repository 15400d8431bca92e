package simulation

import (
	"fmt"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// stepFreeze suspends a node for 1 to 60 s: its links and its running clock stand still. After the wake-up the node
// must not close a connection for silence, because only the node itself was silent.
func (w *world) stepFreeze() string {
	n := w.some()
	if !n.up || n.gate.isShut() || time.Now().Before(w.unsettled) { // a dial of before a change of mode would sleep, too
		return ""
	}
	for _, other := range w.nodes {
		if other != n && !(w.clean(n, other) && w.whole(n, other)) {
			return ""
		}
	}
	w.upsetAll(n.index, time.Now().Add(2*time.Minute))
	n.member.Freeze()
	asleep := time.Duration(1+w.random.IntN(60)) * time.Second
	w.pass(asleep)
	n.member.Thaw()
	w.pass(time.Second)
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, down := range n.downs {
		// A peer that is down may have been silent for almost the whole limit before.
		if down.Code == wire.DisconnectTimeout && !down.Remote && w.nodes[w.indexOf(id)].up &&
			n.downAt[id].After(time.Now().Add(-asleep-time.Second)) {
			w.fault("node %d: woke after %v and closed the connection to node %s for silence", n.index, asleep, down.Name)
		}
	}
	return fmt.Sprintf("node %d is frozen for %v", n.index, asleep)
}

// stepLeap moves a node's clock by hours for 90 s. Its messages are stale meanwhile, but no connection may close.
func (w *world) stepLeap() string {
	n := w.some()
	if !n.up || w.disks {
		return ""
	}
	by := time.Duration(1+w.random.IntN(48)) * time.Hour
	if w.random.IntN(2) == 0 {
		by = -by
	}
	before := n.skew.Load()
	var open []*supervisor.PeerConnection
	for c := range n.transport.Connections() {
		open = append(open, c)
	}
	undisturbed := w.undisturbedAll(n)
	n.skew.Store(int64(by))
	w.pass(90 * time.Second) // longer than the silence limit
	n.skew.Store(before)
	w.upsetAll(n.index, time.Now().Add(calmAfter))
	for j := range w.nodes {
		if j != n.index {
			w.flipped[pairOf(n.index, j)] = time.Now() // messages sent during the leap were stale
		}
	}
	for _, c := range open {
		if undisturbed && w.undisturbedAll(n) && !w.alive(c) {
			w.fault("node %d: a leap of its clock by %v closed the connection to %s", n.index, by, c.Peer().ID)
		}
	}
	return fmt.Sprintf("the clock of node %d leaps by %v for 90s", n.index, by)
}

// undisturbedAll reports whether all other nodes are up and no fault affects n and any of them.
func (w *world) undisturbedAll(n *node) bool {
	for _, other := range w.nodes {
		if other != n && (!other.up || !w.undisturbed(n, other)) {
			return false
		}
	}
	return true
}

// stepSlow delays the path between two nodes by up to the write timeout of 10 s, sends messages both ways, and resets
// the delay.
func (w *world) stepSlow() string {
	a, b := w.two()
	if !a.up || !b.up || !w.clean(a, b) {
		return ""
	}
	delay := time.Duration(w.random.Int64N(int64(10 * time.Second)))
	w.upset(a.index, b.index, time.Now().Add(3*time.Minute))
	w.net.SetLatency(a.ip, b.ip, delay)
	w.net.SetLatency(b.ip, a.ip, delay)
	for range 10 {
		for _, way := range [][2]*node{{a, b}, {b, a}} {
			if c := way[0].transport.GetConnection(way[1].id); c != nil {
				msg := w.message(way[0], typeTell, way[1].id)
				from, to := way[0].index, way[1].index
				w.work.Go(func() { w.dispatch(from, to, c, msg) })
			}
		}
		w.pass(time.Duration(w.random.IntN(3000)) * time.Millisecond)
	}
	w.net.SetLatency(a.ip, b.ip, 0)
	w.net.SetLatency(b.ip, a.ip, 0)
	w.pass(delay)
	return fmt.Sprintf("the path between %d and %d had a delay of %v", a.index, b.index, delay)
}

// whole reports whether both nodes still have their end of all connections between them: the silence of a half open one
// began before the freeze.
func (w *world) whole(a, b *node) bool {
	for _, link := range w.net.Links(a.ip, b.ip) {
		if !link.Whole() {
			return false
		}
	}
	return true
}
