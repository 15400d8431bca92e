package supervisor

import "sync"

// ownDials holds the challenges of the dials under way and of the connections that they opened, and whether our own
// listener saw each arrive. Connections write it directly: the registry hears of a connection's termination before it
// reads messages that were sent earlier. Safe for concurrent use.
type ownDials struct {
	mu   sync.Mutex
	seen map[challenge]bool
}

func newOwnDials() *ownDials { return &ownDials{seen: make(map[challenge]bool)} }

func (d *ownDials) add(c challenge) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen[c] = false
}

func (d *ownDials) remove(c challenge) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.seen, c)
}

// Reflected implements actors.OwnDials. Challenges of other dials than those under way leave nothing behind.
func (d *ownDials) Reflected(c challenge) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ours := d.seen[c]; ours {
		d.seen[c] = true
	}
}

// reflected reports whether the dial with this challenge has reached this node itself.
func (d *ownDials) reflected(c challenge) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[c]
}
