package simulation

import (
	"fmt"
	"time"
)

// Steps that are small stories, since chance alone would rarely tell them.

// stepReplay gives a node a message, ends the node once or twice, and sends it the message again.
func (w *world) stepReplay() string {
	a, b, c := w.linked()
	if c == nil || !w.disks || !w.net.Clean(a.ip, b.ip) {
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

// stepComeback loses a connection for the side that dials again, and lets the other one hold on to it.
func (w *world) stepComeback() string {
	all := w.dials()
	pair := all[w.random.IntN(len(all))]
	a, b := w.nodes[pair[0]], w.nodes[pair[1]]
	links := w.net.Links(a.ip, b.ip)
	if !a.up || !b.up || len(links) != 1 || !links[0].Whole() || links[0].Age() < 15*time.Second {
		return ""
	}
	w.upset(a.index, b.index, time.Now().Add(calmAfter))
	links[0].Vanish(a.ip)
	w.pass(16 * time.Second)
	return fmt.Sprintf("node %d loses its connection to %d and comes back", a.index, b.index)
}

// stepMeet has two nodes lose each other, dial at the same time, and talk all the while.
func (w *world) stepMeet() string {
	a, b := w.two()
	if !w.wants[[2]int{a.index, b.index}] || !w.wants[[2]int{b.index, a.index}] || !a.up || !b.up {
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
	w.pass(time.Millisecond)
	w.chatter(a, b)
	return fmt.Sprintf("nodes %d and %d lose each other and meet again", a.index, b.index)
}
