package dedup

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// A message that is stamped ahead of our clock is remembered for as long as its stamp is accepted: a recording of it
// is a duplicate until the very end, through every rotation, and a restart.
func TestDedupRemembersMessagesStampedAhead(t *testing.T) {
	const ttl = time.Minute
	start := time.Now()
	set, err := New(ttl, 1000, 1000, start, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set.Judge(ttl, func(now time.Time) time.Time { return now })
	peer := set.For("peer")
	early := start.Add(30 * time.Second) // in the middle of a generation
	msg := &wire.Message{ID: "ahead", Type: "chat", From: "peer", Timestamp: early.Add(ttl - time.Second)}
	if got := peer.Seen(msg, early); got != actors.Fresh {
		t.Fatalf("at first: %v", got)
	}
	accepted := 2*ttl - time.Second // until then the stamp is within the skew
	for at := time.Second; at < accepted; at += 5 * time.Second {
		now := early.Add(at)
		set.Rotate(now)
		if got := peer.Seen(msg, now); got != actors.Duplicate {
			t.Fatalf("%v later: %v, want Duplicate", at, got)
		}
	}
	again := restarted(t, set, early.Add(100*time.Second))
	if got := again.For("peer").Seen(msg, early.Add(118*time.Second)); got != actors.Duplicate {
		t.Errorf("after a restart: %v, want Duplicate", got)
	}
}

// restarted saves a set at a time and loads it into another.
func restarted(t *testing.T, set *Set, at time.Time) *Set {
	t.Helper()
	path := t.TempDir() + "/seen"
	if err := set.Save(path, at, at); err != nil {
		t.Fatal(err)
	}
	next, err := New(set.ttl, 1000, 1000, at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := next.Load(path, at, at); err != nil || !found {
		t.Fatalf("loaded: %v, %v", found, err)
	}
	return next
}
