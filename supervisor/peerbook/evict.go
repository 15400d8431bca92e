package peerbook

import (
	"slices"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// returnsAfter is the age at which a peer that was seen again counts as a returning one.
const returnsAfter = time.Hour

// evictFor evicts entries until one of size bytes fits, and reports whether it does. b.mu is held.
func (b *Book) evictFor(size int) bool {
	for b.entries.full(size) {
		if !b.evict() {
			return false
		}
	}
	return true
}

// evict removes up to a tenth of the limit of entries, so that a burst of new peers does not search the book for each
// of them, and reports whether it removed any. Identities cost an attacker nothing, therefore:
//
//	protected    persistent, connected, allowlisted or aliased    never
//	other        seen for less than an hour, never dialled        first, the least recently seen before others
//	returning    dialled, or seen again after an hour             only if there are no others
//
// Made-up identities so displace each other. b.mu is held.
func (b *Book) evict() bool {
	victims := b.entries.where(func(p *Peer) bool { return !b.protected(p) && !p.returning() })
	if len(victims) == 0 {
		victims = b.entries.where(func(p *Peer) bool { return !b.protected(p) })
	}
	slices.SortFunc(victims, func(a, c Peer) int { return a.LastSeen.Compare(c.LastSeen) })
	for _, p := range victims[:min(len(victims), maxKnownPeers/10)] {
		b.drop(p.ID)
	}
	return len(victims) > 0
}

// returning reports whether this node has dialled the peer, or the peer has come back after an hour.
func (p *Peer) returning() bool { return p.Address != "" || p.LastSeen.Sub(p.AddedAt) >= returnsAfter }

// Unprotected returns the peers that satisfy ok and may be evicted, by ID: those that are neither persistent,
// connected, on the allowlist nor aliased. ok must not use the book.
func (b *Book) Unprotected(ok func(*Peer) bool) []Peer {
	return b.where(func(p *Peer) bool { return !b.protected(p) && ok(p) })
}

// protected reports whether an entry must not be evicted. b.mu is held.
func (b *Book) protected(p *Peer) bool {
	if p.Persistent || b.inUse != nil && b.inUse(p.ID) || b.aliases[p.ID] != "" {
		return true
	}
	key, err := crypto.ParsePublicKey(p.PublicKey)
	_, listed := b.allowed[key]
	return err == nil && listed
}
