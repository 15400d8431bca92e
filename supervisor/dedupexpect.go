package supervisor

import "github.com/Snider/go-p2p/supervisor/internal/prefetch"

// dedupNear is how many entries a set has at least whose tables may be far from the processor, so that it pays to
// fetch what is needed ahead of time.
const dedupNear = 1 << 16

// Expect implements actors.Deduplicator. In a large set Seen would wait for memory longer than for all else.
func (a *dedupAccount) Expect(id []byte) {
	d := a.set
	if d.count.Load() < dedupNear {
		return
	}
	h := d.digest()
	_, _ = h.Write(id) // never fails
	key := h.Sum64()
	shard := &d.shards[key%dedupShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	shard.current.prefetch(key)
	shard.previous.prefetch(key)
}

func (t *dedupTable) prefetch(key uint64) {
	if len(t.index) > 0 {
		prefetch.Uint16(&t.index[t.home(key)])
	}
}
