package dedup

import "github.com/Snider/go-p2p/supervisor/internal/prefetch"

// farEntries is the number of entries from which on the tables are larger than the processor's caches.
const farEntries = 1 << 16

// Expect implements actors.Deduplicator: it fetches the memory that Seen will read for this id.
func (a *Account) Expect(id []byte) {
	d := a.set
	if d.count.Load() < farEntries {
		return
	}
	key := hashBytes(d.own.id, id)
	shard := &d.own.shards[key%shardCount]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	shard.current.prefetch(key)
	shard.previous.prefetch(key)
}

func (t *table) prefetch(key uint64) {
	if len(t.index) > 0 {
		prefetch.Uint16(&t.index[t.home(key)])
	}
}
