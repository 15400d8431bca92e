package dedup

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// A peer at its rate limit is not refused after a restart, nor when rotations come half a second late: entries of the
// last run take room only for as long as they live.
func TestDedupTakesTheRateLimitAcrossARestart(t *testing.T) {
	const limit, share = 15_335, 15_100 // of one connection with the default limits
	for _, late := range []time.Duration{0, 500 * time.Millisecond} {
		rateLimitAcrossARestart(t, limit, share, late)
	}
}

func rateLimitAcrossARestart(t *testing.T, limit, share int, late time.Duration) {
	t.Helper()
	now, window := dedupStart, testTTL
	set := newDedup(t, limit, share)
	msg := &wire.Message{Type: "chat"}
	send := func(set *Set, during time.Duration) (refused int) {
		for end := now.Add(during); now.Before(end); now = now.Add(20 * time.Millisecond) {
			if set.UntilRotation(now) <= -late {
				set.Rotate(now)
			}
			msg.ID, msg.Timestamp = fmt.Sprint(now.UnixNano()), now
			if set.For("honest").Seen(msg, now) == actors.Full {
				refused++
			}
		}
		return refused
	}
	send(set, 2*window)
	path := t.TempDir() + "/seen"
	if err := set.Save(path, now, now); err != nil {
		t.Fatal(err)
	}
	next, err := New(window, limit, share, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second) // it is made, and started later
	if found, err := next.Load(path, now, now); err != nil || !found {
		t.Fatalf("loaded: %v, %v", found, err)
	}
	if n, want := next.Len(), int(window/(20*time.Millisecond))-100; n < want {
		t.Fatalf("%d entries are restored, want %d", n, want)
	}
	if refused := send(next, 4*window); refused > 0 {
		t.Errorf("%d refused after a restart", refused)
	}
}
