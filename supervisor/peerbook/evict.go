package peerbook

import (
	"slices"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// returnsAfter is the age at which a peer that was seen again counts as a returning one.
const returnsAfter = time.Hour

// Limits in batches of entries.
const (
	maxMoved   = 4  // entries moved at once, when many connections have ended
	maxWaiting = 20 // changes of the archive that wait for a failing disk; beyond them, moved entries are lost
)

// evictFor evicts entries if one of size bytes does not fit, and reports whether it does then. b.mu is held.
func (b *Book) evictFor(size int) bool { return !b.entries.full(size) || b.evict() }

// evict removes up to a tenth of the limit of entries, so that a burst of new peers does not search the book for each
// of them, and reports whether it removed any. Identities cost an attacker nothing, therefore:
//
//	protected    persistent, connected, allowlisted or aliased    never
//	other        seen for less than an hour, never dialled        first, the least recently seen before others
//	returning    dialled, or seen again after an hour             only if there are no others
//
// Made-up identities so displace each other. b.mu is held.
func (b *Book) evict() bool {
	n := b.entries.batch()
	recent := b.entries.oldestRecent(func(p *Peer) bool { return !b.protected(p) })
	idle := func(id string) bool { return b.inUse == nil || !b.inUse(id) }
	victims := b.entries.archive.oldest(n, false, time.Time{}, idle)
	if len(victims) == 0 && (len(recent) == 0 || recent[0].returning) {
		victims = b.entries.archive.oldest(n, true, time.Time{}, idle)
	}
	victims = append(victims, recent[:min(n, len(recent))]...)
	slices.SortFunc(victims, aged.compare)
	for i, v := range victims[:min(n, len(victims))] {
		if v.returning != victims[0].returning {
			break
		}
		b.discard(victims[i])
	}
	return len(victims) > 0
}

// discard removes an entry whose size is known. b.mu is held.
func (b *Book) discard(v aged) {
	if b.entries.dropRecent(v.id) {
		b.touch(v.id)
		return
	}
	b.entries.archive.remove(v.id, v.size)
	b.schedule()
}

// moveOld moves the oldest entries to the archive if there are too many in memory. Protected entries stay; those that
// were never verified are removed. b.mu is held.
func (b *Book) moveOld() {
	e := &b.entries
	if b.disk == nil || e.limit <= e.room || len(e.recent) < max(e.room, e.moveAt) {
		return
	}
	old := e.oldestRecent(func(p *Peer) bool { return !b.protected(p) })
	n := min(len(old), len(e.recent)-e.room+e.batch(), maxMoved*e.batch())
	for _, v := range old[:n] {
		p := e.recent[v.id]
		e.dropRecent(v.id)
		if !p.LastSeen.IsZero() && !e.archive.full(maxWaiting*e.batch()) {
			e.archive.put(p)
		}
		b.touch(v.id)
	}
	e.moveAt = len(e.recent) + e.batch()
}

// recall moves an entry from the archive into memory, because it is protected from now on. b.mu is held.
func (b *Book) recall(id string) {
	if p, archived := b.entries.archive.get(id); archived {
		b.put(p)
	}
}

// returning reports whether this node has dialled the peer, or the peer has come back after an hour.
func (p *Peer) returning() bool { return p.Address != "" || p.LastSeen.Sub(p.AddedAt) >= returnsAfter }

// Unprotected returns the peers that satisfy ok and may be evicted, by ID: those that are neither persistent,
// connected, on the allowlist nor aliased. ok must not use the book. It reads all entries; see Unseen.
func (b *Book) Unprotected(ok func(*Peer) bool) []Peer {
	return b.where(func(p *Peer) bool { return !b.protected(p) && ok(p) })
}

// Unseen returns the IDs of up to n peers that were last seen before a time, may be evicted, and are not kept. kept
// must not use the book.
func (b *Book) Unseen(before time.Time, n int, kept func(id string) bool) []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var ids []string
	for _, a := range b.entries.oldestRecent(func(p *Peer) bool {
		return p.LastSeen.Before(before) && !b.protected(p) && !kept(p.ID)
	}) {
		ids = append(ids, a.id)
	}
	for _, returning := range []bool{false, true} {
		if len(ids) >= n {
			break
		}
		for _, a := range b.entries.archive.oldest(n-len(ids), returning, before, func(id string) bool {
			return (b.inUse == nil || !b.inUse(id)) && !kept(id)
		}) {
			ids = append(ids, a.id)
		}
	}
	return ids[:min(n, len(ids))]
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
