package supervisor

import (
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// dedupUnlimited is the most ids that are kept when the rate limit is off, so that no number follows from it.
const dedupUnlimited = 8 << 20

// MessageDeduplicator remembers messages for a time (protocol section 6). A message is a duplicate when its id came
// from the same peer before, or its id, sender and content through any other; so nobody can mark an id first and have
// the honest message dropped.
//
// A message that is stamped ahead of our clock could be sent again for as long as its stamp is accepted, which is longer
// than a TTL from now: an entry is stamped with the later of the two, and the very same message is a duplicate for as long
// as the window is wide.
//
// It keeps generations: entries move to the older one after a window and vanish after another, while each entry's own
// stamp keeps the times exact. Those stamped beyond the end of this window begin a generation later. An entry takes 16 bytes of key and value, about
// 22 with the table around it. The set has a hard limit; a peer that has filled more than its share is refused before anything unexpired is forgotten.
//
// Safe for concurrent use.
type MessageDeduplicator struct {
	// Fixed at construction.
	ttl    time.Duration             // for the same id from the same peer
	window time.Duration             // for the very same message: the TTL, or the allowed clock skew where that is longer
	wall   func(time.Time) time.Time // the clock that judges stamps, at a moment of the clock that measures
	limit  int64
	lease  int64 // how many entries a shard may add before it counts them with all others again
	share  int64 // of one peer, once the set is half full
	seed   uint64
	epoch  time.Time
	// Until then, messages stamped before the start are stale: the last process died with its set.
	staleBefore, staleUntil time.Time

	shards [dedupShards]dedupShard

	count atomic.Int64 // entries in all generations, and those that shards have taken room for

	mu      sync.Mutex // the rest
	rotated time.Time
	parts   map[string]*dedupPart // by peer
}

// dedupAccount is the set as one connection uses it.
type dedupAccount struct {
	set  *MessageDeduplicator
	id   string // of the peer
	tag  uint64
	part atomic.Pointer[dedupPart] // nil before the first message
}

// dedupPart is one peer's part of the set, the same for all its connections.
type dedupPart struct {
	current, previous atomic.Int64
	dropped           atomic.Bool // it was empty for a whole TTL: the next message begins another
	_                 [40]byte    // a cache line of its own: peers count on several cores at once
}

// NewMessageDeduplicator returns an empty set that remembers for ttl, at most limit ids in each generation, of which a
// peer gets share once the set is half full. random makes the set's secret: without it, peers could choose ids that
// collide.
func NewMessageDeduplicator(ttl time.Duration, limit, share int, now time.Time, random io.Reader) (*MessageDeduplicator, error) {
	var seed [8]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, err
	}
	d := &MessageDeduplicator{
		ttl: ttl, window: ttl, wall: func(now time.Time) time.Time { return now }, limit: 2 * int64(limit), share: 2 * int64(share),
		seed: binary.LittleEndian.Uint64(seed[:]), epoch: now, rotated: now,
		parts: make(map[string]*dedupPart),
	}
	d.lease = max(1, min(dedupLease, d.limit>>(dedupShardBits+6))) // all leases are a 64th of the limit at most
	return d, nil
}

// judge tells the set which stamps are accepted: those within skew of what wall says. Before it is used.
func (d *MessageDeduplicator) judge(skew time.Duration, wall func(time.Time) time.Time) {
	d.window, d.wall = max(d.ttl, skew), wall
}

// dedupSize is how many ids the limits let in within one window, and one peer's part of them. A burst comes once and counts
// in both generations; it stands for a second's messages at least, by which a rotation may be off. A
// 64th more is what shards may have taken room for and not used.
func dedupSize(cfg *TransportConfig) (limit, share int) {
	if cfg.RateRefill == 0 {
		return dedupUnlimited, dedupUnlimited / max(cfg.MaxConns, 2)
	}
	window := max(cfg.DedupTTL, cfg.MaxClockSkew)
	perPeer := max(cfg.RateBurst, cfg.RateRefill) + cfg.RateRefill*window.Seconds()
	share = int(min(perPeer, dedupUnlimited))
	all := int64(share) * int64(cfg.MaxConns) // exceeds an int of 32 bits
	return int(min(all+all/64, dedupUnlimited)), share
}

// distrust makes messages stamped before start stale for one window from now on.
func (d *MessageDeduplicator) distrust(start, now time.Time) {
	d.staleBefore, d.staleUntil = start, now.Add(d.window)
}

// For returns the set as one connection of a peer uses it.
func (d *MessageDeduplicator) For(peerID string) actors.Deduplicator {
	return &dedupAccount{set: d, id: peerID, tag: d.hash(peerID) & 0xffffff}
}

// partOf returns the peer's part of the set. Only a caller that enters a message creates it.
func (d *MessageDeduplicator) partOf(a *dedupAccount, enter bool) *dedupPart {
	if part := a.part.Load(); part != nil && !part.dropped.Load() {
		return part
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	part := d.parts[a.id]
	if part == nil && !enter {
		return &dedupPart{}
	}
	if part == nil {
		part = &dedupPart{}
		d.parts[a.id] = part
	}
	a.part.Store(part)
	return part
}

// Seen implements actors.Deduplicator: it tests and marks in one step.
func (a *dedupAccount) Seen(msg *wire.Message, now time.Time) actors.Verdict {
	return a.ask(msg, now, true)
}

// Known implements actors.Deduplicator: it returns the verdict that Seen would return and enters nothing.
func (a *dedupAccount) Known(msg *wire.Message, now time.Time) actors.Verdict {
	return a.ask(msg, now, false)
}

// ask returns the verdict for msg. With enter it also enters a fresh message.
func (a *dedupAccount) ask(msg *wire.Message, now time.Time, enter bool) actors.Verdict {
	d := a.set
	if msg.Timestamp.Before(d.staleBefore) && now.Before(d.staleUntil) {
		return actors.Stale
	}
	part := d.partOf(a, enter)
	first, content, ticks := d.hash(msg.ID), d.content(msg), d.ticks(now)
	ahead, stamp := min(max(msg.Timestamp.Sub(d.wall(now)), 0), d.window), ticks
	if ahead > 0 { // few are
		stamp = d.ticks(now.Add(ahead))
	}
	shard := &d.shards[first%dedupShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	// Different messages with one id are chained: a peer can add one link at most, since its second is a duplicate. Those of
	// many peers stand aside, or the chain would take ever longer to go through.
	key, links := first, 0
	for ; links < dedupLinks; key, links = nextInChain(key), links+1 {
		known, ok := shard.find(key, ticks)
		if !ok {
			break
		}
		if d.repeats(known, a.tag, content, ticks) {
			return actors.Duplicate
		}
	}
	entry := newDedupEntry(a.tag, content, stamp)
	if links == dedupLinks && d.knownAside(shard, first, entry, ticks) {
		return actors.Duplicate
	}
	total := d.count.Load()
	if shard.leased == 0 && total >= d.limit || total >= d.limit/2 && part.current.Load()+part.previous.Load() >= d.share {
		return actors.Full
	}
	if !enter {
		return actors.Fresh
	}
	generation := &shard.current
	if ahead > 0 && now.Sub(d.epoch)+ahead >= shard.begun+d.window {
		generation = &shard.next // it outlives what else came in this window
	}
	for link := first; link != key; link = nextInChain(link) {
		known, _ := shard.find(link, ticks)
		if known.age(stamp) > 0 { // it must not expire before its successor
			d.put(shard, part, generation, link, newDedupEntry(known.peer(), known.content(), stamp))
		}
	}
	if links < dedupLinks {
		d.put(shard, part, generation, key, entry)
		return actors.Fresh
	}
	for _, key := range aside(first, entry) {
		d.put(shard, part, generation, key, entry)
	}
	return actors.Fresh
}

// repeats reports whether a message with a known one's id is a duplicate of it.
func (d *MessageDeduplicator) repeats(known dedupEntry, peer, content uint64, ticks uint16) bool {
	return known.content() == content || known.peer() == peer && known.age(ticks) <= d.ttlTicks()
}

func (d *MessageDeduplicator) ttlTicks() int { return int(d.ttl * ticksPerWindow / d.window) }

// untilRotation is how long it is until Rotate has something to do: later, what has expired takes room from what comes.
func (d *MessageDeduplicator) untilRotation(now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.window - now.Sub(d.rotated)
}

// Rotate drops the entries that have expired, once a window has passed since the last time.
func (d *MessageDeduplicator) Rotate(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.rotated) < d.window {
		return
	}
	d.rotated = now
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		d.count.Add(-int64(s.previous.count))
		s.previous, s.current, s.next = s.current, s.next, dedupTable{}
		s.begun = now.Sub(d.epoch)
		s.mu.Unlock()
	}
	for id, part := range d.parts {
		part.previous.Store(part.current.Swap(0))
		if part.previous.Load() == 0 {
			part.dropped.Store(true)
			delete(d.parts, id)
		}
	}
}

func (d *MessageDeduplicator) ticks(now time.Time) uint16 {
	elapsed := now.Sub(d.epoch)
	// Whole windows first: the product of the rest and ticksPerWindow cannot overflow.
	return uint16(int64(elapsed/d.window)*ticksPerWindow + int64(elapsed%d.window)*ticksPerWindow/int64(d.window))
}

func (d *MessageDeduplicator) hash(text string) uint64 {
	h := d.digest()
	_, _ = h.WriteString(text) // never fails
	return h.Sum64()
}

func (d *MessageDeduplicator) digest() (h xxhash.Digest) {
	h.ResetWithSeed(d.seed)
	return h
}

// content is the tag of everything in a message but its id and recipient. What is mostly short is gathered first, which
// the hash takes in faster than piece by piece.
func (d *MessageDeduplicator) content(msg *wire.Message) uint64 {
	var h xxhash.Digest
	h.ResetWithSeed(^d.seed)
	var room [128]byte
	head := room[:0]
	for _, part := range [...]string{msg.From, string(msg.Type), msg.ReplyTo} {
		if len(head)+len(part) > len(room)-1-8 { // a long one
			_, _ = h.Write(head)
			_, _ = h.WriteString(part)
			head = room[:0]
		} else {
			head = append(head, part...)
		}
		head = append(head, 0)
	}
	head = binary.LittleEndian.AppendUint64(head, uint64(msg.Timestamp.UnixNano()))
	_, _ = h.Write(head)
	_, _ = h.Write(msg.Payload)
	return h.Sum64() & 0xffffff
}
