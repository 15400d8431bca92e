package dedup

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// A message that stands behind another with its id is remembered for its own TTL, also when the first one's has ended
// and the set has been rotated in between.
func TestDedupChainOutlivesItsFirstLink(t *testing.T) {
	const ttl = time.Minute
	start := time.Now()
	set, err := New(ttl, 1000, 1000, start, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	attacker, honest := set.For("attacker"), set.For("honest")
	forged := &wire.Message{ID: "same", Type: "chat", From: "x", Payload: json.RawMessage(`"forged"`)}
	real := &wire.Message{ID: "same", Type: "chat", From: "x", Payload: json.RawMessage(`"real"`)}
	steps := []struct {
		at   time.Duration
		by   actors.Deduplicator
		msg  *wire.Message
		want actors.Verdict
	}{
		{0, attacker, forged, actors.Fresh},
		{50 * time.Second, honest, real, actors.Fresh},
		{70 * time.Second, honest, real, actors.Duplicate},  // the forged one's TTL has ended
		{105 * time.Second, honest, real, actors.Duplicate}, // and the set is rotated
		{111 * time.Second, honest, real, actors.Fresh},     // now its own has ended
	}
	for _, s := range steps {
		now := start.Add(s.at)
		set.Rotate(now)
		if got := s.by.Seen(s.msg, now); got != s.want {
			t.Errorf("after %v: %v, want %v", s.at, got, s.want)
		}
	}
}

// An id that many identities use costs one look-up more and two entries, not a walk through all of them. Each message
// is still recognised by its peer and by its content, and an honest message is taken once although its id was used by
// all of them before.
func TestDedupBoundsWorkForOneID(t *testing.T) {
	d := newDedup(t, 100_000, 100)
	const identities = 1000
	for i := range identities {
		expect(t, d, fmt.Sprint("sybil", i), "the id", fmt.Sprint("forged", i), 0, actors.Fresh)
	}
	if n, want := d.Len(), 1+2*(identities-1); n != want {
		t.Errorf("%d entries, want %d", n, want)
	}
	expect(t, d, "honest", "the id", "real", time.Minute, actors.Fresh)
	expect(t, d, "honest", "the id", "real", 2*time.Minute, actors.Duplicate)
	expect(t, d, "relay", "the id", "real", 2*time.Minute, actors.Duplicate)
	expect(t, d, "honest", "the id", "another", 2*time.Minute, actors.Duplicate)
	expect(t, d, "relay", "the id", "another", 2*time.Minute, actors.Fresh)
	expect(t, d, "honest", "another id", "real", 2*time.Minute, actors.Fresh)
	for i := range identities {
		expect(t, d, fmt.Sprint("sybil", i), "the id", fmt.Sprint("forged", i, " anew"), 2*time.Minute, actors.Duplicate)
		expect(t, d, fmt.Sprint("relay", i), "the id", fmt.Sprint("forged", i), 2*time.Minute, actors.Duplicate)
	}
}

// A message aside of a full chain is remembered for its own TTL, although the chain is older and the set rotates.
func TestDedupAsideOutlivesTheChain(t *testing.T) {
	d := newDedup(t, 1000, 1000)
	for i := range 16 {
		expect(t, d, fmt.Sprint("sybil", i), "the id", fmt.Sprint("forged", i), 0, actors.Fresh)
	}
	const early = 4 * time.Minute
	expect(t, d, "honest", "the id", "real", early, actors.Fresh)
	for at := early; at <= early+testTTL; at += 30 * time.Second {
		d.Rotate(dedupStart.Add(at))
		expect(t, d, "honest", "the id", "real", at, actors.Duplicate)
		expect(t, d, "relay", "the id", "real", at, actors.Duplicate)
	}
	later := early + testTTL + time.Second
	d.Rotate(dedupStart.Add(later))
	expect(t, d, "honest", "the id", "real", later, actors.Fresh)
}

// BenchmarkDedupChain enters one more message with an id that many identities have used.
func BenchmarkDedupChain(b *testing.B) {
	for _, identities := range []int{1, 2, 20_000} {
		b.Run(fmt.Sprint(identities), func(b *testing.B) {
			d := newDedup(b, 1<<24, 1<<24)
			for i := range identities {
				d.For(fmt.Sprint("sybil", i)).Seen(seenMessage("the id", fmt.Sprint(i)), dedupStart)
			}
			account, msg := d.For("honest"), seenMessage("the id", "real")
			for b.Loop() {
				account.Seen(msg, dedupStart)
			}
		})
	}
}
