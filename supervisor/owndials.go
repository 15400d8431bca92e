package supervisor

import "sync"

// ownDials holds the challenges of dials in progress and of the connections that they opened, and whether the node's
// own listener received each challenge. Connection actors write it directly, because the registry processes the
// termination of a connection before earlier messages. Safe for concurrent use.
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

// reflect records that this node's listener received a challenge. It returns true at the first call for the challenge
// of a dial in progress.
func (d *ownDials) reflect(c challenge) (first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen, ours := d.seen[c]
	if ours {
		d.seen[c] = true
	}
	return ours && !seen
}

// reflected reports whether the dial with this challenge reached this node itself.
func (d *ownDials) reflected(c challenge) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[c]
}

// newChallenge returns the challenge for one dial. Every process with this node's key recognises it as its own.
func (r *registry) newChallenge() (challenge, error) { return r.node.Keys.NewChallenge(r.node.Rand) }
