package supervisor

import (
	"fmt"
	mathrand "math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// A table answers as a map does, whatever the keys: 0, neighbours that want one slot, and different keys with one mark.
func TestDedupTableIsAMap(t *testing.T) {
	for seed := range uint64(200) {
		r := mathrand.New(mathrand.NewPCG(seed, 0))
		key := [...]func() uint64{
			r.Uint64,
			func() uint64 { return r.Uint64N(40) },
			func() uint64 { return ^r.Uint64N(40) }, // from the last slot on to the first
			func() uint64 { return r.Uint64N(8)<<61 | r.Uint64N(3)<<33 | r.Uint64N(20) },
		}
		var table dedupTable
		model := make(map[uint64]dedupEntry)
		steps := r.IntN(600)
		if seed == 0 {
			steps = 20_000 // regions of several pages
		}
		for i := range steps {
			k := key[(seed+uint64(r.IntN(2)))%4]()
			want, known := model[k]
			if got, ok := table.find(k); ok != known || got != want {
				t.Fatalf("seed %d, step %d, key %x: %x, %v; want %x, %v", seed, i, k, got, ok, want, known)
			}
			if added := table.put(k, dedupEntry(i)); added == known {
				t.Fatalf("seed %d, step %d, key %x: put said %v, want %v", seed, i, k, added, !known)
			}
			model[k] = dedupEntry(i)
		}
		if table.count != len(model) {
			t.Fatalf("seed %d: %d records, want %d", seed, table.count, len(model))
		}
		for k, want := range model {
			if got, ok := table.find(k); !ok || got != want {
				t.Fatalf("seed %d, key %x in the end: %x, %v; want %x", seed, k, got, ok, want)
			}
		}
	}
}

// mapSet is a set of three Go maps, with the rules as they are written down.
type mapSet struct {
	set                     *MessageDeduplicator // for its tags and ticks only
	next, current, previous map[uint64]dedupEntry
	rotated                 time.Time
}

func (m *mapSet) find(key uint64, now uint16) (dedupEntry, bool) {
	for _, generation := range []map[uint64]dedupEntry{m.next, m.current, m.previous} {
		if entry, ok := generation[key]; ok {
			return entry, entry.age(now) <= ticksPerWindow
		}
	}
	return 0, false
}

func (m *mapSet) seen(peer string, msg *wire.Message, now time.Time) actors.Verdict {
	first, content, tag := m.set.hash(msg.ID), m.set.content(msg), m.set.hash(peer)&0xffffff
	ahead := max(msg.Timestamp.Sub(now), 0)
	ticks, stamp := m.set.ticks(now), m.set.ticks(now.Add(ahead))
	generation := m.current
	if ahead > 0 && !now.Add(ahead).Before(m.rotated.Add(m.set.window)) {
		generation = m.next
	}
	var chain []uint64
	key := first
	for ; ; key = nextInChain(key) {
		known, ok := m.find(key, ticks)
		if !ok {
			break
		}
		if known.content() == content || known.peer() == tag && known.age(ticks) <= ticksPerWindow {
			return actors.Duplicate
		}
		chain = append(chain, key)
	}
	for _, link := range chain {
		if entry, _ := m.find(link, ticks); entry.age(stamp) > 0 {
			generation[link] = newDedupEntry(entry.peer(), entry.content(), stamp)
		}
	}
	generation[key] = newDedupEntry(tag, content, stamp)
	return actors.Fresh
}

// The set gives the verdicts and holds the entries that three maps would, through expiry and rotations.
func TestDedupIsThreeMaps(t *testing.T) {
	told := make(map[actors.Verdict]int)
	for seed := range uint64(300) {
		r := mathrand.New(mathrand.NewPCG(seed, 0))
		set := newDedup(t, 1<<20, 1<<20)
		model := &mapSet{set, map[uint64]dedupEntry{}, map[uint64]dedupEntry{}, map[uint64]dedupEntry{}, dedupStart}
		now := dedupStart
		for step := range 300 {
			switch r.IntN(10) {
			case 0:
				now = now.Add(time.Duration(r.Int64N(int64(testTTL / 2))))
			case 1:
				if set.Rotate(now); now.Sub(model.rotated) >= testTTL {
					model.rotated = now
					model.previous, model.current, model.next = model.current, model.next, map[uint64]dedupEntry{}
				}
			default:
				peer, msg := fmt.Sprint("peer", r.IntN(4)), seenMessage(fmt.Sprint(r.IntN(30)), fmt.Sprint(r.IntN(3)))
				if r.IntN(5) == 0 {
					msg.Timestamp = now.Add(time.Duration(r.Int64N(int64(testTTL))))
				}
				want := model.seen(peer, msg, now)
				if got := set.For(peer).Seen(msg, now); got != want {
					t.Fatalf("seed %d, step %d: %s sends %s: %v, want %v", seed, step, peer, msg.ID, got, want)
				}
				told[want]++
			}
			if got, want := set.Len(), len(model.next)+len(model.current)+len(model.previous); got != want {
				t.Fatalf("seed %d, step %d: %d entries, want %d", seed, step, got, want)
			}
		}
	}
	if told[actors.Fresh] < 1000 || told[actors.Duplicate] < 1000 {
		t.Errorf("verdicts %v: the walk does not say much", told)
	}
}

// However many ids there are, right after its tables have grown too, an id takes 40 bytes at most, an empty set next to
// nothing; and what has expired is given back.
func TestDedupMemoryIsBounded(t *testing.T) {
	empty := heap()
	d := newDedup(t, 1<<20, 1<<20)
	if took := heap() - empty; took > 64<<10 {
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

// BenchmarkDedupGrowth tells how long the message waits for which a part of the set grows: the longest wait of a
// filling, and of those the median, for the scheduler has its part in it.
func BenchmarkDedupGrowth(b *testing.B) {
	for _, perShard := range []int{6_000, 32_000, 65_000} { // the default limit, that without a rate limit, and all of it in one generation
		b.Run(fmt.Sprint(perShard), func(b *testing.B) {
			var waits []time.Duration
			for b.Loop() {
				var table dedupTable
				longest := time.Duration(0)
				for range perShard {
					key, began := mathrand.Uint64(), time.Now()
					table.put(key, 1)
					longest = max(longest, time.Since(began))
				}
				waits = append(waits, longest)
			}
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), "wait-µs")
		})
	}
}
