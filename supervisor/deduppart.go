package supervisor

import (
	"sync/atomic"

	"github.com/Snider/go-p2p/actors"
)

// dedupAccount is the set as one connection uses it.
type dedupAccount struct {
	set  *MessageDeduplicator
	id   string // of the peer
	tag  uint64
	part atomic.Pointer[dedupPart]
}

// dedupPart is one peer's part of the set, the same for all its connections. What it may hold beyond what it holds is set
// aside: nobody else can take it. So at any time the entries, what is set aside and what is free make up the limit.
type dedupPart struct {
	next, current, previous atomic.Int64 // its entries, by generation
	allowed                 atomic.Int64
	dropped                 atomic.Bool // it was empty and nobody's: the next message begins another
	conns                   int         // owned by the set's mutex
	_                       [16]byte    // a cache line of its own: peers count on several cores at once
}

func (part *dedupPart) used() int64 {
	return part.next.Load() + part.current.Load() + part.previous.Load()
}

// For returns the set as one connection of a peer uses it. A share is set aside for the peer until Leave has been called for
// each of its connections: then only what it has left behind takes room.
func (d *MessageDeduplicator) For(peerID string) actors.Deduplicator {
	a := &dedupAccount{set: d, id: peerID, tag: d.hash(peerID) & 0xffffff}
	d.mu.Lock()
	defer d.mu.Unlock()
	part := d.part(peerID)
	part.conns++
	d.setAside(part)
	a.part.Store(part)
	return a
}

// Leave is the end of one connection of a peer.
func (d *MessageDeduplicator) Leave(peerID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	part := d.parts[peerID]
	if part == nil || part.conns == 0 {
		return
	}
	if part.conns--; part.conns == 0 {
		spare := part.allowed.Load() - part.used()
		part.allowed.Add(-spare)
		d.free.Add(spare)
		d.dropIdle(peerID, part)
	}
}

// partOf returns a connection's part of the set.
func (d *MessageDeduplicator) partOf(a *dedupAccount) *dedupPart {
	part := a.part.Load()
	if part.dropped.Load() { // it has left, and yet there is one more message
		d.mu.Lock()
		defer d.mu.Unlock()
		part = d.part(a.id)
		a.part.Store(part)
	}
	return part
}

// part returns a peer's part of the set. The set is locked.
func (d *MessageDeduplicator) part(peerID string) *dedupPart {
	part := d.parts[peerID]
	if part == nil {
		part = &dedupPart{}
		d.parts[peerID] = part
	}
	return part
}

// dropIdle forgets a part that is nobody's and empty. The set is locked.
func (d *MessageDeduplicator) dropIdle(peerID string, part *dedupPart) {
	if part.conns == 0 && part.used() == 0 {
		part.dropped.Store(true)
		delete(d.parts, peerID)
	}
}

// setAside completes a peer's share, as far as there is room.
func (d *MessageDeduplicator) setAside(part *dedupPart) {
	part.allowed.Add(d.take(d.share-part.allowed.Load(), 0))
}

// lend lets a part have more than was set aside for it, and reports whether there was room. Beyond its share it gets no
// more once half of the set is taken: the other half is for the shares of others.
func (d *MessageDeduplicator) lend(part *dedupPart) bool {
	kept := int64(0)
	if part.used() >= d.share {
		kept = d.limit / 2
	}
	n := d.take(dedupLease, kept)
	part.allowed.Add(n)
	return n > 0
}

// take takes up to n entries' room from what is free, of which some is kept.
func (d *MessageDeduplicator) take(n, kept int64) int64 {
	for {
		free := d.free.Load()
		got := min(n, free-kept)
		if got <= 0 {
			return 0
		}
		if d.free.CompareAndSwap(free, free-got) {
			return got
		}
	}
}

// rotateParts has the parts follow their generations, of which dropped entries have gone. The set is locked.
func (d *MessageDeduplicator) rotateParts(dropped int64) {
	for id, part := range d.parts {
		dropped += part.rotate(d.share)
		d.dropIdle(id, part)
	}
	d.free.Add(dropped)
	for _, part := range d.parts {
		if part.conns > 0 { // it may have come when there was not enough
			d.setAside(part)
		}
	}
}

// rotate returns how much more is free for others than the entries that have gone. It is less than 0 where their room is set
// aside for the peer at once, so that nobody can come between.
func (part *dedupPart) rotate(share int64) int64 {
	gone := part.previous.Swap(part.current.Swap(part.next.Swap(0)))
	due := part.used()
	if part.conns > 0 {
		due = max(due, share)
	}
	allowed := part.allowed.Load()
	kept := min(allowed, due)
	part.allowed.Add(kept - allowed)
	return allowed - kept - gone
}
