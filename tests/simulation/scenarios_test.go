package simulation

import (
	"fmt"
	"time"
)

// Steps that are small stories, since chance alone would rarely tell them.

// stepReplay gives a node a message, ends the node once or twice, and sends it the message again.
func (w *world) stepReplay() string {
	a, b, c := w.linked()
	if c == nil || !b.up || !w.disks || !w.net.Clean(a.ip, b.ip) {
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
	return fmt.Sprintf("node %d tells %d%s, nobody tells it again", a.index, b.index, ends)
}

// mutual returns two nodes that both dial each other, by chance; nil when there are none that run.
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

// stepComeback takes a connection from one side, which dials again, and lets the other side hold on to it.
func (w *world) stepComeback() string {
	a, b := w.mutual()
	if a == nil || !w.net.Clean(a.ip, b.ip) {
		return ""
	}
	w.pass(15 * time.Second) // no duplicate is left
	links := w.net.Links(a.ip, b.ip)
	if len(links) != 1 || !links[0].Whole() {
		return ""
	}
	w.upset(a.index, b.index, time.Now().Add(calmAfter))
	links[0].Vanish(a.ip)
	w.pass(16 * time.Second)
	// The new connection is never the one that is closed as a duplicate of the dead one.
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.downs[b.id].Reason == "duplicate connection" {
		w.fault("node %d: came back to %d and was sent away", a.index, b.index)
	}
	return fmt.Sprintf("node %d loses its connection to %d and comes back", a.index, b.index)
}

// stepMeet has two nodes lose each other, dial at the same time, and talk all the while.
func (w *world) stepMeet() string {
	a, b := w.mutual()
	if a == nil || !w.net.Clean(a.ip, b.ip) {
		return ""
	}
	links := w.net.Links(a.ip, b.ip)
	if len(links) == 0 {
		return ""
	}
	for _, link := range links {
		link.Cut()
	}
	// What was sent before is lost, what is sent from now on is not.
	w.upset(a.index, b.index, time.Now())
	w.chatter(a, b)
	return fmt.Sprintf("nodes %d and %d lose each other and meet again", a.index, b.index)
}
