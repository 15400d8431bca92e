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
// stamp keeps the times exact. Those stamped beyond the end of this window begin a generation later. An entry takes 16 bytes
// of key and value, about 22 with the table around it.
//
// The set has a hard limit, and refuses rather than that it forgets what has not expired. For each connected peer a share is
// set aside when it comes, so nothing that others do has it refused: only who wants more, or came when what others have
// left behind took all the room.
//
// Safe for concurrent use.
type MessageDeduplicator struct {
	// Fixed at construction.
	ttl    time.Duration             // for the same id from the same peer
	window time.Duration             // for the very same message: the TTL, or the allowed clock skew where that is longer
	wall   func(time.Time) time.Time // the clock that judges stamps, at a moment of the clock that measures
	limit  int64
	share  int64 // of one peer, in all generations
	seed   uint64
	epoch  time.Time
	// Until then, messages stamped before the start are stale: the last process died with its set.
	staleBefore, staleUntil time.Time

	shards [dedupShards]dedupShard

	count atomic.Int64 // entries in all generations, and those that shards have counted ahead
	free  atomic.Int64 // how many more fit in, without what is set aside

	mu      sync.Mutex // the rest
	rotated time.Time
	parts   map[string]*dedupPart // by peer
}

// NewMessageDeduplicator returns an empty set that remembers for ttl, at most limit ids in each generation, of which share
// are set aside for each connected peer. random makes the set's secret: without it, peers could choose ids that collide.
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
	d.free.Store(d.limit)
	return d, nil
}

// judge tells the set which stamps are accepted: those within skew of what wall says. Before it is used.
func (d *MessageDeduplicator) judge(skew time.Duration, wall func(time.Time) time.Time) {
	d.window, d.wall = max(d.ttl, skew), wall
}

// dedupSize is how many ids the limits let in within one window, and one peer's part of them. A burst comes once and counts
// in both generations: it stands for a second's messages at least, by which a rotation, or a peer's clock, may be off.
func dedupSize(cfg *TransportConfig) (limit, share int) {
	if cfg.RateRefill == 0 {
		return dedupUnlimited, dedupUnlimited / max(cfg.MaxConns, 2)
	}
	window := max(cfg.DedupTTL, cfg.MaxClockSkew)
	perPeer := max(cfg.RateBurst, cfg.RateRefill) + cfg.RateRefill*window.Seconds()
	share = int(min(perPeer, float64(dedupUnlimited/cfg.MaxConns)))
	return share * cfg.MaxConns, share
}

// distrust makes messages stamped before start stale for one window from now on.
func (d *MessageDeduplicator) distrust(start, now time.Time) {
	d.staleBefore, d.staleUntil = start, now.Add(d.window)
}

// Seen implements actors.Deduplicator: it tests and marks in one step.
func (a *dedupAccount) Seen(msg *wire.Message, now time.Time) actors.Verdict {
	d := a.set
	if msg.Timestamp.Before(d.staleBefore) && now.Before(d.staleUntil) {
		return actors.Stale
	}
	part := d.partOf(a)
	room := part.used() < part.allowed.Load() || d.lend(part)
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
	if !room {
		return actors.Full
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
	dropped := int64(0)
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		dropped += int64(s.previous.count)
		s.previous, s.current, s.next = s.current, s.next, dedupTable{}
		s.begun = now.Sub(d.epoch)
		s.mu.Unlock()
	}
	d.count.Add(-dropped)
	d.rotateParts(dropped)
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
