package dedup

import (
	"sync"
	"time"
)

const (
	shardBits  = 8
	shardCount = 1 << shardBits
	// stampBits is the size of an entry's stamp. At ticksPerWindow ticks, ages from minus to plus four windows are told
	// apart; a message stamped ahead begins at minus one, and no entry lives longer than plus two.
	stampBits      = 16
	ticksPerWindow = 1 << 13
)

// store holds the messages of one run, under that run's secret. It is sharded by id.
type store struct {
	*secret
	ended  time.Time // the run, on the wall clock; zero: it goes on
	shards [shardCount]shard
}

// shard is a part of a store with a lock of its own, and three generations of entries:
//
//	previous │ current │ next            a rotation, once per window: previous is dropped, current becomes previous,
//	─────────┼─────────┼──────→ time     next becomes current
//	         begun     begun + window
//
// An entry goes to current, or to next if it is stamped so far ahead that it would outlive its generation.
type shard struct {
	mu                      sync.Mutex
	next, current, previous table
	begun                   time.Duration // of the current generation, since the set's epoch
	leased                  int64         // entries that the set's count already includes
}

// entry is a message in the tables: its content tag, and its peer's tag (48 bits) with a stamp in ticks (16 bits).
type entry struct{ content, tagged uint64 }

func newEntry(peer, content uint64, ticks uint16) entry {
	return entry{content, peer<<stampBits | uint64(ticks)}
}

func (e entry) peer() uint64 { return e.tagged >> stampBits }

// age is the number of ticks since the stamp. It is negative for a message stamped ahead, and when another connection
// entered the message with a later clock reading.
func (e entry) age(now uint16) int { return int(int16(now - uint16(e.tagged))) }

func (e entry) withStamp(ticks uint16) entry {
	return entry{e.content, e.tagged&^(1<<stampBits-1) | uint64(ticks)}
}

// fingerprint is a message of a peer as one store sees it.
type fingerprint struct{ id, peer, content uint64 }

// repeats reports whether a message with the id of e is a duplicate of it: the same content through any peer, or any
// content from the same peer within ttl.
func (f fingerprint) repeats(e entry, now uint16, ttl int) bool {
	return e.content == f.content || e.peer() == f.peer && e.age(now) <= ttl
}

// aside returns the two places of a message whose id is taken by a different message of another peer.
func (s *store) aside(f fingerprint) [2]uint64 {
	return [2]uint64{s.asideKey(f.id, f.peer, 0), s.asideKey(f.id, f.content, 1)}
}

func (s *store) shard(f fingerprint) *shard { return &s.shards[f.id%shardCount] }

// known looks a message up. It returns the unexpired entry at the place of its id, if there is one, and whether the
// message is a duplicate. It takes at most three look-ups, regardless of the number of messages that share the id.
//
// The shard is locked.
func (s *store) known(f fingerprint, now uint16, ttl int) (first entry, taken, duplicate bool) {
	shard := s.shard(f)
	first, taken = shard.find(f.id, now)
	if !taken || f.repeats(first, now, ttl) {
		return first, taken, taken
	}
	for _, key := range s.aside(f) {
		if other, ok := shard.find(key, now); ok && f.repeats(other, now, ttl) {
			return first, true, true
		}
	}
	return first, true, false
}

// find returns the unexpired entry at key.
func (s *shard) find(key uint64, now uint16) (entry, bool) {
	e, ok := s.next.find(key) // nearly always empty
	if !ok {
		e, ok = s.current.find(key)
	}
	if !ok {
		e, ok = s.previous.find(key)
	}
	return e, ok && e.age(now) <= ticksPerWindow
}

// rotate drops the previous generation and returns the number of its entries.
func (s *store) rotate(now time.Duration) (dropped int64) {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		dropped += int64(shard.previous.count)
		shard.previous, shard.current, shard.next = shard.current, shard.next, table{}
		shard.begun = now
		shard.mu.Unlock()
	}
	return dropped
}

// begin starts the first generation at now.
func (s *store) begin(now time.Duration) {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		shard.begun = now
		shard.mu.Unlock()
	}
}

// len returns the number of entries, including expired ones that are not dropped yet.
func (s *store) len() (entries int) {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		entries += shard.next.count + shard.current.count + shard.previous.count
		shard.mu.Unlock()
	}
	return entries
}
