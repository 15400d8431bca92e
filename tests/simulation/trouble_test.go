package simulation

import "time"

// clean reports whether the path between two nodes has neither a fault nor a relay.
func (w *world) clean(a, b *node) bool {
	return w.net.Clean(a.ip, b.ip) && time.Now().After(w.relayed[pairOf(a.index, b.index)])
}

func pairOf(i, j int) [2]int { return [2]int{min(i, j), max(i, j)} }

// upset records that messages between two nodes may be lost until the given time.
func (w *world) upset(i, j int, until time.Time) {
	if key := pairOf(i, j); until.After(w.trouble[key]) {
		w.trouble[key] = until
	}
}

// upsetAll calls upset for every pair of one node.
func (w *world) upsetAll(i int, until time.Time) {
	for j := range w.nodes {
		if j != i {
			w.upset(i, j, until)
		}
	}
}
