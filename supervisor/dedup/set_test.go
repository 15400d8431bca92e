package dedup

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

const testTTL = 5 * time.Minute

var dedupStart = time.Unix(1_700_000_000, 0)

func newDedup(t testing.TB, limit, share int) *Set {
	t.Helper()
	d, err := New(testTTL, limit, share, dedupStart, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func seenMessage(id, content string) *wire.Message {
	payload, _ := json.Marshal(content)
	return &wire.Message{ID: id, Type: "stats", From: "somebody", Timestamp: dedupStart, Payload: payload}
}

// expect runs one message through the set, as the peer at a moment after the start.
func expect(t testing.TB, d *Set, peer, id, content string, after time.Duration, want actors.Verdict) {
	t.Helper()
	if got := d.For(peer).Seen(seenMessage(id, content), dedupStart.Add(after)); got != want {
		t.Errorf("%s sends %s (%s) after %v: verdict %v, want %v", peer, id, content, after, got, want)
	}
}

func TestDedupForgetsAfterTTL(t *testing.T) {
	d := newDedup(t, 1000, 100)
	expect(t, d, "a", "1", "x", 0, actors.Fresh)
	expect(t, d, "a", "1", "x", time.Second, actors.Duplicate)
	expect(t, d, "a", "1", "x", testTTL-time.Nanosecond, actors.Duplicate)
	expect(t, d, "a", "1", "x", testTTL, actors.Duplicate)
	tick := testTTL/ticksPerWindow + time.Nanosecond
	expect(t, d, "a", "1", "x", testTTL+tick, actors.Fresh) // and marked anew
	expect(t, d, "a", "1", "x", 2*testTTL, actors.Duplicate)
	expect(t, d, "a", "1", "x", 2*testTTL+3*tick, actors.Fresh)
}

func TestDedupFindsDuplicates(t *testing.T) {
	d := newDedup(t, 1000, 100)
	expect(t, d, "a", "1", "x", 0, actors.Fresh)
	expect(t, d, "a", "1", "y", 0, actors.Duplicate) // the same id from the same peer, with any content
	expect(t, d, "b", "1", "x", 0, actors.Duplicate) // the same message by another way
	expect(t, d, "b", "1", "z", 0, actors.Fresh)     // the same id with other content by another peer: not marked first
	expect(t, d, "b", "1", "x", 0, actors.Duplicate)
	expect(t, d, "a", "1", "z", 0, actors.Duplicate)
	expect(t, d, "c", "1", "z", 0, actors.Duplicate)
	expect(t, d, "a", "2", "x", 0, actors.Fresh)

	for name, change := range map[string]func(*wire.Message){
		"from":    func(m *wire.Message) { m.From = "another" },
		"to":      func(m *wire.Message) { m.To = "another" },
		"type":    func(m *wire.Message) { m.Type = "logs" },
		"stamp":   func(m *wire.Message) { m.Timestamp = m.Timestamp.Add(1) },
		"replyTo": func(m *wire.Message) { m.ReplyTo = "0" },
	} {
		msg := seenMessage("shared "+name, "x")
		d.For("a").Seen(msg, dedupStart)
		other := *msg
		change(&other)
		if got := d.For("b").Seen(&other, dedupStart); got != actors.Fresh {
			t.Errorf("another %s is the same message: %v", name, got)
		}
	}
}

func TestDedupRefusesAtItsLimits(t *testing.T) {
	const limit, share = 500, 100 // 1000 and 200 over both generations
	d := newDedup(t, limit, share)
	fill := func(peer string, n int) (fresh, full int) {
		for i := range n {
			switch d.For(peer).Seen(seenMessage(fmt.Sprint(peer, "/", i), peer), dedupStart) {
			case actors.Fresh:
				fresh++
			case actors.Full:
				full++
			}
		}
		return fresh, full
	}
	if fresh, full := fill("greedy", 2000); fresh != limit || full != 2000-limit {
		t.Errorf("one peer alone: %d taken and %d refused, want half of the set", fresh, full)
	}
	if fresh, full := fill("honest", 200); fresh != 200 || full != 0 {
		t.Errorf("another peer: %d taken and %d refused, want its share of 200", fresh, full)
	}
	if fresh, _ := fill("greedy2", 2000); fresh != 200 {
		t.Errorf("another greedy one: %d taken, want its share of 200", fresh)
	}
	for i := range 10 {
		fill(fmt.Sprint("crowd", i), 200)
	}
	if n := d.Len(); n != 2*limit {
		t.Errorf("%d entries, want the limit of %d", n, 2*limit)
	}
	// No unexpired entry was forgotten.
	for i := range limit {
		expect(t, d, "greedy", fmt.Sprint("greedy/", i), "greedy", testTTL, actors.Duplicate)
	}
	// Expired entries free their capacity.
	d.Rotate(dedupStart.Add(testTTL))
	d.Rotate(dedupStart.Add(2 * testTTL))
	if n := d.Len(); n != 0 {
		t.Errorf("%d entries after two rotations, want none", n)
	}
	expect(t, d, "greedy", "new", "", 2*testTTL, actors.Fresh)
}

func TestDedupRotationForgetsNothingUnexpired(t *testing.T) {
	d := newDedup(t, 100_000, 1000)
	for second := range 900 { // 15 minutes, rotated every minute as the registry does
		now := time.Duration(second) * time.Second
		if second%60 == 0 {
			d.Rotate(dedupStart.Add(now))
		}
		expect(t, d, "a", fmt.Sprint(second), "", now, actors.Fresh)
		if second >= 300 {
			expect(t, d, "a", fmt.Sprint(second-300), "", now, actors.Duplicate)
		}
		if second >= 301 {
			// Seen would mark it again, so a probe under another name checks it.
			key := d.own.idKey(fmt.Sprint(second - 301))
			if _, known := d.own.shards[key%shardCount].find(key, d.ticks(dedupStart.Add(now))); known {
				t.Fatalf("an id of 301 s ago is known")
			}
		}
	}
	if n := d.Len(); n > 2*360 {
		t.Errorf("%d entries of a second each are kept, want two generations at most", n)
	}
}

// Two connections of one peer, made before its first message, share one account, through rotations too.
func TestDedupAccountsShareThePeersEntries(t *testing.T) {
	const limit, share = 500, 50 // 100 over both generations
	d := newDedup(t, limit, share)
	first, second := d.For("a"), d.For("a")
	for i := range limit { // half full by others
		d.For(fmt.Sprint("other", i%50)).Seen(seenMessage(fmt.Sprint("o", i), ""), dedupStart)
	}
	fresh := 0
	for i := range 200 {
		account := first
		if i%2 == 0 {
			account = second
		}
		if account.Seen(seenMessage(fmt.Sprint("a", i), ""), dedupStart) == actors.Fresh {
			fresh++
		}
	}
	if fresh != 2*share {
		t.Errorf("%d taken through two connections, want one share of %d", fresh, 2*share)
	}
	d.Rotate(dedupStart.Add(testTTL))
	later := 2 * testTTL
	d.Rotate(dedupStart.Add(later))
	for i := range limit {
		d.For(fmt.Sprint("other", i%50)).Seen(seenMessage(fmt.Sprint("p", i), ""), dedupStart.Add(later))
	}
	for name, account := range map[string]actors.Deduplicator{"first": first, "second": second} {
		if got := account.Seen(seenMessage(name, ""), dedupStart.Add(later)); got != actors.Fresh {
			t.Errorf("the %s connection after everything has expired: %v, want Fresh", name, got)
		}
	}
}

func TestDedupAcceptsOneOfConcurrentCopies(t *testing.T) {
	d := newDedup(t, 100_000, 10_000)
	const workers, ids = 16, 2000
	fresh := make([]atomic.Int32, ids)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			account := d.For(fmt.Sprint("peer", w%4))
			for i := range ids {
				if account.Seen(seenMessage(fmt.Sprint(i), "same"), dedupStart) == actors.Fresh {
					fresh[i].Add(1)
				}
				if w == 0 && i%500 == 0 {
					d.Rotate(dedupStart.Add(testTTL))
				}
			}
		})
	}
	all.Wait()
	for i := range fresh {
		if n := fresh[i].Load(); n != 1 {
			t.Errorf("message %d was fresh %d times", i, n)
		}
	}
	if n := d.Len(); n != ids {
		t.Errorf("%d entries, want %d", n, ids)
	}
}

// The default limits let in 1.5 million ids in a TTL. They must stay below 100 MB.
func TestDedupStaysBelow100MB(t *testing.T) {
	const n = 200_000
	d := newDedup(t, n, n)
	before := heap()
	account := d.For("a")
	msg := seenMessage("", "x")
	for i := range n {
		msg.ID = fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)
		account.Seen(msg, dedupStart)
	}
	per := float64(heap()-before) / n
	runtime.KeepAlive(d)
	if d.Len() != n || per > 64 {
		t.Errorf("%d ids at %.0f bytes each, want 64 at most", d.Len(), per)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // frees objects that the first run only found
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestDedupDistrustRejectsOldMessages(t *testing.T) {
	d := newDedup(t, 1000, 100)
	d.Distrust(dedupStart.Add(time.Second), dedupStart)
	expect(t, d, "a", "1", "x", 0, actors.Stale)         // stamped before the restart
	expect(t, d, "a", "1", "x", testTTL-1, actors.Stale) // for one TTL
	expect(t, d, "a", "1", "x", testTTL, actors.Fresh)   // and no longer
	msg := seenMessage("2", "x")
	msg.Timestamp = dedupStart.Add(time.Second)
	if got := d.For("a").Seen(msg, dedupStart.Add(time.Second)); got != actors.Fresh {
		t.Errorf("stamped after the restart: %v", got)
	}
}
