package supervisor

import (
	"iter"
	"slices"
	"sync"
)

// directory says which connection carries each peer's traffic. The registry writes it; everybody reads it. It is the
// only such table.
type directory struct {
	mu       sync.RWMutex
	carriers map[string]*PeerConnection
}

func newDirectory() *directory { return &directory{carriers: make(map[string]*PeerConnection)} }

// set makes c the carrier of a peer; nil: nobody.
func (d *directory) set(peerID string, c *PeerConnection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c == nil {
		delete(d.carriers, peerID)
		return
	}
	d.carriers[peerID] = c
}

func (d *directory) get(peerID string) *PeerConnection {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.carriers[peerID]
}

func (d *directory) len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.carriers)
}

// all goes through the carriers as they are now; the caller may do anything meanwhile.
func (d *directory) all() iter.Seq[*PeerConnection] {
	d.mu.RLock()
	now := make([]*PeerConnection, 0, len(d.carriers))
	for _, c := range d.carriers {
		now = append(now, c)
	}
	d.mu.RUnlock()
	return slices.Values(now)
}
