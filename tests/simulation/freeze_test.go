package simulation

import (
	"fmt"
	"time"

	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// stepFreeze stops a node's process for a while: nothing of it moves, and its running clock stands still. When it wakes
// it must not take its own standstill for the silence of its peers.
func (w *world) stepFreeze() string {
	n := w.some()
	if !n.up || n.gate.isShut() {
		return ""
	}
	for _, other := range w.nodes {
		if other != n && !w.net.Clean(n.ip, other.ip) {
			return ""
		}
	}
	w.upsetAll(n.index, time.Now().Add(2*time.Minute))
	each := func(do func(from, to string)) {
		for _, other := range w.nodes {
			if other != n {
				do(n.ip, other.ip)
				do(other.ip, n.ip)
			}
		}
	}
	wake := runclock.FreezeForTest(n.running)
	each(w.net.Stall)
	asleep := time.Duration(1+w.random.IntN(60)) * time.Second
	w.pass(asleep)
	wake()
	each(w.net.Resume)
	w.pass(time.Second)
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, down := range n.downs {
		if down.Code == wire.DisconnectTimeout && !down.Remote && n.downAt[id].After(time.Now().Add(-asleep-time.Second)) {
			w.fault("node %d: woke after %v and took node %s for silent", n.index, asleep, down.Name)
		}
	}
	return fmt.Sprintf("node %d is frozen for %v", n.index, asleep)
}

// stepLeap sets a node's clock wrong by hours, and right again. Its messages are stale meanwhile; no connection ends.
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
	var standing []*supervisor.PeerConnection
	for c := range n.transport.Connections() {
		standing = append(standing, c)
	}
	quietBefore := w.sereneFor(n)
	n.skew.Store(int64(by))
	w.pass(90 * time.Second) // longer than the silence limit
	n.skew.Store(before)
	w.upsetAll(n.index, time.Now().Add(calmAfter))
	for j := range w.nodes {
		if j != n.index {
			w.flipped[pairOf(n.index, j)] = time.Now() // messages sent before were stale
		}
	}
	for _, c := range standing {
		if quietBefore && w.sereneFor(n) && !w.alive(c) {
			w.fault("node %d: a leap of its clock by %v ended the connection to %s", n.index, by, c.Peer().ID)
		}
	}
	return fmt.Sprintf("the clock of node %d leaps by %v for 90s", n.index, by)
}

// sereneFor reports whether nothing disturbs a node and any other.
func (w *world) sereneFor(n *node) bool {
	for _, other := range w.nodes {
		if other != n && (!other.up || !w.serene(n, other)) {
			return false
		}
	}
	return true
}

// stepSlow makes the way between two nodes slow, up to the write timeout, sends messages both ways, and ends it.
func (w *world) stepSlow() string {
	a, b := w.two()
	if !a.up || !b.up || !w.net.Clean(a.ip, b.ip) {
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
	return fmt.Sprintf("the way between %d and %d took %v", a.index, b.index, delay)
}
