package supervisor

import (
	"crypto/rand"
	"encoding/json"
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
	set, err := NewMessageDeduplicator(ttl, 1000, 1000, start, rand.Reader)
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
