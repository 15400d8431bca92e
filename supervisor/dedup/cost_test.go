package dedup

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// A duplicate allocates nothing, and a fresh id only the growth of its table.
func TestDedupAllocatesGrowthOnly(t *testing.T) {
	d := newDedup(t, 1<<20, 1<<20)
	account := d.For("peer")
	message := seenMessage("", "x")
	number := uint64(0)
	for name, c := range map[string]struct {
		want  actors.Verdict
		fresh uint64
	}{"fresh": {actors.Fresh, 1}, "duplicate": {actors.Duplicate, 0}} {
		ids := make([]string, 20_000)
		for i := range ids {
			number += c.fresh
			ids[i] = fmt.Sprint(number)
		}
		account.Seen(&wire.Message{ID: ids[0], Timestamp: dedupStart}, dedupStart)
		next, got := 1, c.want
		n := testing.AllocsPerRun(10_000, func() {
			message.ID = ids[next]
			next++
			if verdict := account.Seen(message, dedupStart); verdict != c.want {
				got = verdict
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if got != c.want {
			t.Errorf("%s: verdict %v", name, got)
		}
	}
}

// BenchmarkDedup marks fresh ids from two connections in a set of a million live ones.
func BenchmarkDedup(b *testing.B) {
	d := newDedup(b, 1<<24, 1<<24)
	message := seenMessage("", "x")
	for i := range 1_000_000 {
		message.ID = fmt.Sprint(i)
		d.For("filler").Seen(message, dedupStart)
	}
	ids := make([]string, b.N)
	for i := range ids {
		ids[i] = uuid.NewString()
	}
	var next, peers atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(1)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		account := d.For(fmt.Sprint("peer", peers.Add(1)))
		message := seenMessage("", "x")
		for pb.Next() {
			message.ID = ids[next.Add(1)-1]
			account.Seen(message, dedupStart)
		}
	})
}
