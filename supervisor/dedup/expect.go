package dedup

import (
	"unsafe"

	"github.com/Snider/go-p2p/supervisor/internal/prefetch"
	"github.com/Snider/go-p2p/wire"
)

// farEntries is the number of entries from which on the tables are larger than the processor's caches.
const farEntries = 1 << 16

// Expect implements actors.Deduplicator: it fetches the memory that Seen will read and write for this id.
func (a *Account) Expect(id []byte) {
	if a.set.far() {
		a.set.own.prefetch(hashBytes(a.set.own.id, id))
	}
}

// ExpectKeys implements actors.Deduplicator. The key of an id is its place in the tables.
func (a *Account) ExpectKeys(messages []wire.Message, keys []uint64) {
	for i := range messages { // first all of them: a lock would keep the processor from beginning with the next one
		keys[i] = a.set.own.idKey(messages[i].ID)
	}
	if a.set.far() {
		for _, key := range keys {
			a.set.own.prefetch(key)
		}
	}
}

func (d *Set) far() bool { return d.count.Load() >= farEntries }

// prefetch fetches the memory for the key of an id.
func (s *store) prefetch(key uint64) {
	shard := &s.shards[key%shardCount]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	shard.current.prefetch(key)
	shard.current.prefetchNext()
	shard.previous.prefetch(key)
}

func (t *table) prefetch(key uint64) {
	if len(t.index) > 0 {
		prefetch.Uint16(&t.index[t.home(key)])
	}
}

// prefetchNext fetches the memory of the next record.
func (t *table) prefetchNext() {
	if len(t.pages) == 0 {
		return
	}
	if last := t.pages[len(t.pages)-1]; len(last) < cap(last) {
		prefetch.Uint16((*uint16)(unsafe.Pointer(&last[:len(last)+1][len(last)])))
	}
}
