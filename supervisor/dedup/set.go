// Package dedup remembers the messages that a node has accepted, so that each is delivered once (protocol section 6).
//
// A message is a duplicate if its id came from the same peer before, or if its id and content (from, type, to, ts,
// replyTo, payload) came through another peer. A peer therefore cannot mark an id first and have the honest message
// with that id dropped:
//
//	sender   id  content    verdict
//	mallory  7   forged     fresh
//	alice    7   real       fresh       another peer, another content
//	bob      7   real       duplicate   relayed by bob
//	alice    7   anything   duplicate   alice has used the id
//
// One entry at the place of the id answers both questions. Only if that place is taken by a different message of
// another peer, two entries are written instead: one at a place for (id, peer), one at a place for (id, content).
// A message thus costs at most three look-ups and three entries, whatever ids, identities and contents peers choose.
package dedup

import (
	"errors"
	"io"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/actors"
)

const (
	// maxLease is the number of entries that a shard reserves in the set's count at once. A count changed for each entry
	// would move between the processors all the time.
	maxLease = 64
	// departedPart: the departed identities of one address group may hold one in this many entries of the set.
	departedPart = 8
	// allDepartedPart: the departed identities of all groups may hold one in this many entries of the set.
	allDepartedPart = 2
)

var errTTL = errors.New("dedup: a TTL below 1 ms")

// Set is the set of messages seen by all connections of a node.
//
// Entries expire by their own stamp, the later of the time of receipt and the message's ts: a message stamped ahead of
// our clock stays acceptable for longer, and is remembered for as long. The set has a hard limit. At the limit, or when
// a peer or an address group has used its share, messages are refused (Full); unexpired entries are never evicted.
//
// Safe for concurrent use.
type Set struct {
	// Fixed before use.
	ttl        time.Duration             // for the same id from the same peer
	window     time.Duration             // for the same message: the TTL, or the allowed clock skew if that is longer
	wall       func(time.Time) time.Time // the wall clock at a reading of the monotonic clock
	tickFactor uint64                    // of ticks
	ttlTicks   int                       // of the ttl
	epoch      time.Time
	// After an unclean restart the set is lost: until staleUntil, messages stamped before staleBefore are stale.
	staleBefore, staleUntil time.Time

	own       *store
	inherited atomic.Pointer[[]*store] // of earlier runs, read-only, each under its own secret; nil: none

	// Changed by Resize.
	limit atomic.Int64 // entries in all generations
	share atomic.Int64 // entries of one peer once the set is half full

	count    atomic.Int64 // entries of all stores, including the shards' reservations
	departed atomic.Int64 // entries of departed identities of all address groups

	mu      sync.Mutex // the rest
	rotated time.Time
	peers   map[string]*peerPart
	groups  map[string]*groupPart
}

// New returns an empty set. It remembers messages for ttl, up to limit ids in each generation. Once the set is half
// full, a peer gets share of them. New reads the 16 bytes of the set's secret from random. It returns an error if ttl
// is below 1 ms or random fails.
func New(ttl time.Duration, limit, share int, now time.Time, random io.Reader) (*Set, error) {
	if ttl < time.Millisecond {
		return nil, errTTL
	}
	secret, err := newSecret(random)
	if err != nil {
		return nil, err
	}
	d := &Set{
		ttl: ttl, wall: func(now time.Time) time.Time { return now },
		epoch: now, rotated: now,
		own: &store{secret: secret}, peers: make(map[string]*peerPart), groups: make(map[string]*groupPart),
	}
	d.setWindow(ttl)
	d.Resize(limit, share)
	return d, nil
}

// Resize changes the limits that New was given. A peer that has entries keeps its share until a further connection of
// it opens. A smaller limit is ignored while it would leave the set more than half full, since unexpired entries are
// never evicted: the caller repeats the call later.
func (d *Set) Resize(limit, share int) {
	d.share.Store(2 * int64(share))
	if entries := 2 * int64(limit); entries > d.limit.Load() || d.count.Load() <= entries/2 {
		d.limit.Store(entries)
	}
}

// Limits returns the limits in force, as Resize takes them.
func (d *Set) Limits() (limit, share int) { return int(d.limit.Load() / 2), int(d.share.Load() / 2) }

// lease returns the number of entries that a shard reserves at once. All reservations together are at most a 64th of
// the limit.
func (d *Set) lease() int64 { return max(1, min(maxLease, d.limit.Load()>>(shardBits+6))) }

// Judge sets the allowed clock skew of messages, and the wall clock that it refers to. It must be called before the
// set is used.
func (d *Set) Judge(skew time.Duration, wall func(time.Time) time.Time) {
	d.setWindow(max(d.ttl, skew))
	d.wall = wall
}

// Distrust makes messages stamped before start stale for one window from now on. It must be called before the set is
// used.
func (d *Set) Distrust(start, now time.Time) {
	d.staleBefore, d.staleUntil = start, now.Add(d.window)
}

// For returns the access of a peer without an address group.
func (d *Set) For(peerID string) actors.Deduplicator { return d.account(peerID, "") }

// Join returns the access of one connection of a peer. The owner of the connection must call Leave when the connection
// has ended. group is the peer's address group, or empty for a peer that is exempt from the group's share.
func (d *Set) Join(peerID, group string) *Account {
	a := d.account(peerID, group)
	a.joined = true
	return a
}

func (d *Set) account(peerID, group string) *Account {
	return &Account{set: d, id: peerID, group: group, tag: d.own.peerTag(peerID)}
}

// Len returns the number of entries, including expired ones that are not dropped yet.
func (d *Set) Len() int {
	entries := d.own.len()
	for _, s := range d.earlier() {
		entries += s.len()
	}
	return entries
}

// earlier returns the stores of earlier runs.
func (d *Set) earlier() []*store {
	if stores := d.inherited.Load(); stores != nil {
		return *stores
	}
	return nil
}

// UntilRotation returns the time until the next rotation. If Rotate is called later, expired entries take the capacity
// of new ones.
func (d *Set) UntilRotation(now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.window - now.Sub(d.rotated)
}

// Rotate drops the expired generation if a window has passed since the last rotation.
func (d *Set) Rotate(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.rotated) < d.window {
		return
	}
	d.rotated = now
	d.count.Add(-d.own.rotate(now.Sub(d.epoch)))
	var kept []*store
	for _, s := range d.earlier() {
		d.count.Add(-s.rotate(now.Sub(d.epoch)))
		if s.len() > 0 {
			kept = append(kept, s)
		}
	}
	d.inherit(kept)
	d.rotateShares()
}

// inherit replaces the stores of earlier runs.
func (d *Set) inherit(stores []*store) {
	if len(stores) == 0 {
		d.inherited.Store(nil)
		return
	}
	d.inherited.Store(&stores)
}

// ticks converts a time to the unit of stamps, modulo 65,536.
func (d *Set) ticks(now time.Time) uint16 { return d.ticksAfter(now.Sub(d.epoch)) }

// ticksAfter is ticks for a time since the set's epoch. It multiplies by 2^64 * ticksPerWindow / window.
func (d *Set) ticksAfter(since time.Duration) uint16 {
	ticks, _ := bits.Mul64(uint64(max(since, 0)), d.tickFactor)
	return uint16(ticks)
}

func (d *Set) setWindow(window time.Duration) {
	d.window = window
	d.ttlTicks = int(d.ttl * ticksPerWindow / window)
	factor, _ := bits.Div64(ticksPerWindow, 0, uint64(window))
	d.tickFactor = factor + 1 // rounded up, so that a whole number of ticks is not rounded down to one less
}
