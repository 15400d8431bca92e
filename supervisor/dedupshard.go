package supervisor

import (
	"sync"
	"time"
)

const (
	dedupShardBits = 8
	dedupShards    = 1 << dedupShardBits
	// dedupLease is how many entries a shard takes room for at once: a count that is changed for each of them would be
	// handed to and fro between the processors all the time.
	dedupLease = 64
	// ticksPerWindow is how finely an entry's age is kept. Its stamp has 16 bits, so ages from minus to plus four times the
	// window are told apart; one that is stamped ahead begins at minus one, and none lives longer than plus two.
	ticksPerWindow = 1 << 13
	// dedupLinks is how many messages with one id are looked through one after the other. More come only from somebody who
	// has as many identities.
	dedupLinks = 16
)

// dedupShard is a part of the set, by key, with a lock of its own.
type dedupShard struct {
	mu                      sync.Mutex
	next, current, previous dedupTable
	begun                   time.Duration // when the current one did, since the set's epoch
	leased                  int64         // of the set's count, for entries to come
}

// dedupEntry is a peer's tag (24 bits), a content's tag (24 bits) and a stamp in ticks (16 bits).
type dedupEntry uint64

func newDedupEntry(peer, content uint64, ticks uint16) dedupEntry {
	return dedupEntry(peer&0xffffff<<40 | content&0xffffff<<16 | uint64(ticks))
}

func (e dedupEntry) peer() uint64    { return uint64(e) >> 40 }
func (e dedupEntry) content() uint64 { return uint64(e) >> 16 & 0xffffff }

// age is how many ticks ago the entry was made. It is negative when another connection made it with a later clock
// reading than ours.
func (e dedupEntry) age(now uint16) int { return int(int16(now - uint16(e))) }

// put writes an entry into one of the shard's generations, and counts it. The shard is locked.
func (d *MessageDeduplicator) put(shard *dedupShard, part *dedupPart, generation *dedupTable, key uint64, entry dedupEntry) {
	if generation.put(key, entry) {
		if shard.leased == 0 {
			d.count.Add(d.lease)
			shard.leased = d.lease
		}
		shard.leased--
		part.current.Add(1)
	}
}

// nextInChain keeps a key in its shard.
func nextInChain(key uint64) uint64 {
	return (key*0x9e3779b97f4a7c15+1)&^(dedupShards-1) | key&(dedupShards-1)
}

// aside returns the keys, in the same shard, of a message whose id has a chain that is full. It is found by its peer and
// by its content, and so without a look at the others.
func aside(first uint64, entry dedupEntry) [2]uint64 {
	return [2]uint64{
		nextInChain(first ^ (1<<24|entry.peer())<<dedupShardBits),
		nextInChain(first ^ (1<<25|entry.content())<<dedupShardBits),
	}
}

// knownAside reports whether a message behind a full chain is a duplicate of another there.
func (d *MessageDeduplicator) knownAside(shard *dedupShard, first uint64, entry dedupEntry, ticks uint16) bool {
	for _, key := range aside(first, entry) {
		if known, ok := shard.find(key, ticks); ok && d.repeats(known, entry.peer(), entry.content(), ticks) {
			return true
		}
	}
	return false
}

func (s *dedupShard) find(key uint64, now uint16) (dedupEntry, bool) {
	entry, ok := s.next.find(key) // nearly always empty
	if !ok {
		entry, ok = s.current.find(key)
	}
	if !ok {
		entry, ok = s.previous.find(key)
	}
	return entry, ok && entry.age(now) <= ticksPerWindow
}

// Len returns the number of entries, expired ones that are not dropped yet included.
func (d *MessageDeduplicator) Len() int {
	entries := 0
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.Lock()
		entries += s.next.count + s.current.count + s.previous.count
		s.mu.Unlock()
	}
	return entries
}
