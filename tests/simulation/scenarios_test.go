package simulation

import (
	"fmt"
	"time"
)

// Steps that run a sequence of events, because random single steps rarely produce it.

// stepReplay sends a node a message, restarts the node once or twice, and sends it the message again.
func (w *world) stepReplay() string {
	a, b, c := w.linked()
	if c == nil || !b.up || !w.disks || !w.clean(a, b) {
		return ""
	}
	msg := w.message(a, typeTell, b.id)
	w.work.Go(func() { w.dispatch(a.index, b.index, c, msg) })
	w.pass(2 * time.Second)
	ends := ""
	for range 1 + w.random.IntN(2) {
		if w.random.IntN(2) == 0 {
			b.stop()
			ends += ", it stops"
		} else {
			b.crash(w.random.IntN(2) == 0, true)
			ends += ", it crashes"
		}
		b.start()
		w.pass(3 * time.Second)
	}
	for _, i := range w.random.Perm(len(w.nodes)) {
		if n := w.nodes[i]; n.up && n != b {
			if again := n.transport.GetConnection(b.id); again != nil {
				w.work.Go(func() { w.dispatch(n.index, b.index, again, msg) })
				return fmt.Sprintf("node %d tells %d%s, node %d tells it again", a.index, b.index, ends, n.index)
			}
		}
	}
	return fmt.Sprintf("node %d tells %d%s, no node is left to tell it again", a.index, b.index, ends)
}

// mutual returns two random running nodes that dial each other, or nil if there are none.
func (w *world) mutual() (a, b *node) {
	all := w.dials()
	for _, k := range w.random.Perm(len(all)) {
		a, b = w.nodes[all[k][0]], w.nodes[all[k][1]]
		if a.up && b.up && w.wants[[2]int{b.index, a.index}] {
			return a, b
		}
	}
	return nil, nil
}

// stepComeback breaks a connection for one side, which redials while the other side still holds the dead connection.
func (w *world) stepComeback() string {
	a, b := w.mutual()
	if a == nil || !w.clean(a, b) {
		return ""
	}
	w.pass(15 * time.Second) // until no duplicate is left
	links := w.net.Links(a.ip, b.ip)
	if len(links) != 1 || !links[0].Whole() {
		return ""
	}
	w.upset(a.index, b.index, time.Now().Add(calmAfter))
	links[0].Vanish(a.ip)
	w.pass(16 * time.Second)
	// The new connection is never closed as a duplicate of the dead one.
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.downs[b.id].Reason == "duplicate connection" {
		w.fault("node %d: came back to %d and was closed as a duplicate", a.index, b.index)
	}
	return fmt.Sprintf("node %d loses its connection to %d and comes back", a.index, b.index)
}

// stepMeet cuts all connections of two nodes, which then dial each other at the same time and send meanwhile.
func (w *world) stepMeet() string {
	a, b := w.mutual()
	if a == nil || !w.clean(a, b) {
		return ""
	}
	links := w.net.Links(a.ip, b.ip)
	if len(links) == 0 {
		return ""
	}
	for _, link := range links {
		link.Cut()
	}
	// Messages sent before the cut may be lost; all later ones must arrive.
	w.upset(a.index, b.index, time.Now())
	w.chatter(a, b)
	return fmt.Sprintf("nodes %d and %d lose each other and meet again", a.index, b.index)
}
