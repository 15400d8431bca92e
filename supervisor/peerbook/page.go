package peerbook

import "github.com/Snider/go-p2p/supervisor/internal/lowest"

// Page returns the lowest IDs greater than after of known peers, at most limit, sorted.
func (b *Book) Page(after string, limit int) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.entries.page(after, limit)
}

func (e *entries) page(after string, limit int) []string {
	ids := lowest.Behind(after, limit)
	for id := range e.peers {
		ids.Add(id)
	}
	return ids.Sorted()
}
