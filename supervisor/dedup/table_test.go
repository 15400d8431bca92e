package dedup

import (
	"fmt"
	mathrand "math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A table behaves like a map for all keys: 0, neighbours for one slot, and different keys with one mark.
func TestDedupTableIsAMap(t *testing.T) {
	for seed := range uint64(200) {
		r := mathrand.New(mathrand.NewPCG(seed, 0))
		key := [...]func() uint64{
			r.Uint64,
			func() uint64 { return r.Uint64N(40) },
			func() uint64 { return ^r.Uint64N(40) }, // from the last slot on to the first
			func() uint64 { return r.Uint64N(8)<<61 | r.Uint64N(3)<<33 | r.Uint64N(20) },
		}
		var table table
		model := make(map[uint64]entry)
		steps := r.IntN(600)
		if seed == 0 {
			steps = 20_000 // regions of several pages
		}
		for i := range steps {
			k := key[(seed+uint64(r.IntN(2)))%4]()
			want, known := model[k]
			if got, ok := table.find(k); ok != known || got != want {
				t.Fatalf("seed %d, step %d, key %x: %v, %v; want %v, %v", seed, i, k, got, ok, want, known)
			}
			if added := table.put(k, entry{content: uint64(i)}); added == known {
				t.Fatalf("seed %d, step %d, key %x: put said %v, want %v", seed, i, k, added, !known)
			}
			model[k] = entry{content: uint64(i)}
		}
		if table.count != len(model) {
			t.Fatalf("seed %d: %d records, want %d", seed, table.count, len(model))
		}
		for k, want := range model {
			if got, ok := table.find(k); !ok || got != want {
				t.Fatalf("seed %d, key %x in the end: %v, %v; want %v", seed, k, got, ok, want)
			}
		}
	}
}

// An id takes at most 40 bytes for any number of ids, also right after its tables have grown. An empty set takes almost
// nothing. Expired entries are freed.
func TestDedupMemoryIsBounded(t *testing.T) {
	empty := heap()
	d := newDedup(t, 1<<20, 1<<20)
	if took := heap() - empty; took > 80<<10 {
		t.Errorf("an empty set takes %d bytes", took)
	}
	account, msg := d.For("a"), seenMessage("", "x")
	for n := 0; n < 300_000; {
		for range 30_000 {
			msg.ID = uuid.NewString()
			account.Seen(msg, dedupStart)
			n++
		}
		if per := (heap() - empty) / int64(n); n >= 60_000 && per > 40 {
			t.Errorf("%d ids at %d bytes each, want 40 at most", n, per)
		}
	}
	d.Rotate(dedupStart.Add(testTTL))
	d.Rotate(dedupStart.Add(2 * testTTL))
	if left := heap() - empty; left > 128<<10 {
		t.Errorf("%d bytes are kept for ids that have expired", left)
	}
	runtime.KeepAlive(d)
}

// BenchmarkDedupGrowth measures the delay of a message that makes a part of the set grow: the maximum of each filling,
// and the median of these, since the scheduler affects it.
func BenchmarkDedupGrowth(b *testing.B) {
	// The default limit, the limit without a rate limit, and all of that in one generation.
	for _, perShard := range []int{6_000, 32_000, 65_000} {
		b.Run(fmt.Sprint(perShard), func(b *testing.B) {
			var waits []time.Duration
			for b.Loop() {
				var table table
				longest := time.Duration(0)
				for range perShard {
					key, began := mathrand.Uint64(), time.Now()
					table.put(key, entry{})
					longest = max(longest, time.Since(began))
				}
				waits = append(waits, longest)
			}
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), "wait-µs")
		})
	}
}
