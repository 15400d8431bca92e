package dedup

import (
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// Account is one connection's access to the set. It implements actors.Deduplicator. Safe for concurrent use.
type Account struct {
	set    *Set
	id     string // of the peer
	group  string // of its address; empty: exempt
	tag    uint64 // of the peer, in the set's own store
	joined bool   // Leave will be called
	member bool   // of another member of the node, which has applied the peers' shares

	part atomic.Pointer[peerPart] // nil before the first message
}

// Seen implements actors.Deduplicator: it tests and marks in one step.
func (a *Account) Seen(msg *wire.Message, now time.Time) actors.Verdict {
	if a.stale(msg, now) {
		return actors.Stale
	}
	return a.ask(msg, 0, now, true)
}

// SeenInSession implements actors.Deduplicator.
func (a *Account) SeenInSession(msg *wire.Message, key uint64, now time.Time) actors.Verdict {
	return a.ask(msg, key, now, true)
}

// Known implements actors.Deduplicator: it returns the verdict of Seen and enters nothing.
func (a *Account) Known(msg *wire.Message, now time.Time) actors.Verdict {
	if a.stale(msg, now) {
		return actors.Stale
	}
	return a.ask(msg, 0, now, false)
}

// stale reports whether a message is from the time before the set, which cannot tell whether it is a duplicate.
func (a *Account) stale(msg *wire.Message, now time.Time) bool {
	return msg.Timestamp.Before(a.set.staleBefore) && now.Before(a.set.staleUntil)
}

// ask returns the verdict for a message. key is that of its ID, or 0 if it is not known. With enter it also enters a
// fresh message.
func (a *Account) ask(msg *wire.Message, key uint64, now time.Time, enter bool) actors.Verdict {
	d := a.set
	if key == 0 {
		key = d.own.idKey(msg.ID)
	}
	f := fingerprint{id: key, peer: a.tag, content: d.own.contentTag(msg)}
	return a.judge(f, msg, 0, now, enter)
}

// judge is ask for a fingerprint. msg may be nil: then the message is stamped ahead of now by the given time, and
// entries of earlier runs, which have other secrets, are not compared.
func (a *Account) judge(
	f fingerprint, msg *wire.Message, ahead time.Duration, now time.Time, enter bool,
) actors.Verdict {
	part := a.peerPart(enter)
	verdict, entries := a.judgeAt(a.set.at(now), part, 0, f, msg, ahead, enter)
	part.current.Add(entries)
	return verdict
}

// instant is a time in the units of a set.
type instant struct {
	since time.Duration // since the set's epoch
	ticks uint16
	wall  time.Time
}

func (d *Set) at(now time.Time) instant {
	since := now.Sub(d.epoch)
	return instant{since, d.ticksAfter(since), d.wall(now)}
}

// judgeAt is judge with the peer's part, to which the caller adds the returned number of entries. pending is the number
// of entries that it has not added yet.
func (a *Account) judgeAt(
	now instant, part *peerPart, pending int64, f fingerprint, msg *wire.Message, ahead time.Duration, enter bool,
) (verdict actors.Verdict, entries int64) {
	d := a.set
	shard := d.own.shard(f)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	first, taken, duplicate := d.own.known(f, now.ticks, d.ttlTicks)
	switch {
	case duplicate || msg != nil && d.knownEarlier(a.id, msg, now.ticks):
		return actors.Duplicate, 0
	case d.full(shard, part, pending):
		return actors.Full, 0
	case enter:
		if msg != nil {
			ahead = d.ahead(msg, now.wall)
		}
		// The stamp is the later of now and the message's ts.
		stamp := now.ticks
		if ahead > 0 {
			stamp = d.ticksAfter(now.since + ahead)
		}
		entries = d.enter(place{shard, d.generation(shard, now.since+ahead)}, f, stamp, first, taken)
	}
	return actors.Fresh, entries
}

// ahead returns the time by which a message is stamped ahead of the wall clock, at most one window.
func (d *Set) ahead(msg *wire.Message, wall time.Time) time.Duration {
	if !msg.Timestamp.After(wall) { // nearly always; Sub takes ten times as long
		return 0
	}
	return min(msg.Timestamp.Sub(wall), d.window)
}

// generation returns the generation of a shard for an entry with the given stamp, a time since the set's epoch. In the
// next one it outlives the other entries of this window; also if the rotation is late.
func (d *Set) generation(s *shard, stamp time.Duration) *table {
	if stamp >= s.begun+d.window {
		return &s.next
	}
	return &s.current
}

// knownEarlier reports whether an earlier run has seen the message. Each run's entries need their own secret.
func (d *Set) knownEarlier(peerID string, msg *wire.Message, ticks uint16) bool {
	for _, s := range d.earlier() {
		f := fingerprint{id: s.idKey(msg.ID), peer: s.peerTag(peerID), content: s.contentTag(msg)}
		shard := s.shard(f)
		shard.mu.Lock()
		_, _, duplicate := s.known(f, ticks, d.ttlTicks)
		shard.mu.Unlock()
		if duplicate {
			return true
		}
	}
	return false
}

// full reports whether a message exceeds a limit: of the set, of the peer's share, or of the shares of departed
// identities, of its address group or of all groups. The last two limits do not apply to exempt peers and to peers with
// entries in the set. pending is the number of the peer's entries that part does not count yet.
func (d *Set) full(shard *shard, part *peerPart, pending int64) bool {
	total, held, limit := d.count.Load(), part.held()+pending, d.limit.Load()
	return shard.leased == 0 && total >= limit ||
		total >= limit/2 && held >= part.share.Load() ||
		held == 0 && part.group != nil &&
			(part.group.departed.Load() >= limit/departedPart || d.departed.Load() >= limit/allDepartedPart)
}

// place is the part of the set that holds the entries of a message.
type place struct {
	shard      *shard
	generation *table
}

// enter writes a fresh message and returns the number of new entries. The place of its id may be taken by first, a
// different message of another peer.
func (d *Set) enter(p place, f fingerprint, stamp uint16, first entry, taken bool) (entries int64) {
	if !taken {
		return d.put(p, f.id, newEntry(f.peer, f.content, stamp))
	}
	if first.age(stamp) > 0 {
		// Entries aside are only looked for while the place of the id is taken, so first must not expire before them.
		entries = d.put(p, f.id, first.withStamp(stamp))
	}
	for _, key := range d.own.aside(f) {
		entries += d.put(p, key, newEntry(f.peer, f.content, stamp))
	}
	return entries
}

// put writes an entry and returns the number of new ones.
func (d *Set) put(p place, key uint64, e entry) int64 {
	if !p.generation.put(key, e) {
		return 0
	}
	if p.shard.leased == 0 {
		lease := d.lease()
		d.count.Add(lease)
		p.shard.leased = lease
	}
	p.shard.leased--
	return 1
}
