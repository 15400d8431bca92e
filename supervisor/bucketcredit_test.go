package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
)

// starvedClock returns a running clock that lost 1.85 s in a standstill of 2 s.
func starvedClock(t *testing.T) (clock *runclock.Clock, standStill func()) {
	t.Helper()
	clock = &runclock.Clock{}
	clock.Start()
	t.Cleanup(clock.Stop)
	return clock, func() {
		time.Sleep(time.Millisecond)
		resume := runclock.FreezeForTest(clock)
		time.Sleep(2 * time.Second)
		resume()
	}
}

func newBucket(clock *runclock.Clock) *bucket {
	now := time.Now()
	return &bucket{clock: clock, lost: clock.Lost(now), limiter: *actors.NewPeerRateLimiter(100, 50, now)}
}

func takeAll(b *bucket) (n int) {
	for b.Take(time.Now()) {
		n++
	}
	return n
}

func TestBucketCreditsStandstillOnceForAllConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, standStill := starvedClock(t)
		b := newBucket(clock)
		time.Sleep(time.Minute)
		standStill()
		now := time.Now()
		b.Credit(now, time.Second) // the standstill also delayed the pump
		b.Credit(now, time.Second) // the standstill is credited only once
		if n := takeAll(b); n != 242 {
			t.Errorf("%d let in after 2 s of standstill, want the burst of 100 and 142 for 2.85 s", n)
		}
		time.Sleep(time.Second)
		if n := takeAll(b); n > 55 {
			t.Errorf("%d let in a second later, want 50, and 5 of the time to catch up", n)
		}
	})
}

func TestIdleBucketGetsNoCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, standStill := starvedClock(t)
		cfg := DefaultTransportConfig()
		r := &registry{cfg: &cfg, node: &actors.Node{Running: clock}, buckets: make(map[bucketKey]*bucket)}
		key := bucketOf(actors.Unmarked, "peer", "10.0.0.1:1")
		r.acquireBucket(key)
		r.releaseBucket(key)
		standStill()
		if n := takeAll(r.acquireBucket(key)); n != 100 {
			t.Errorf("%d let in, want the burst of 100", n)
		}
	})
}

func TestSetRateKeepsCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, standStill := starvedClock(t)
		b := newBucket(clock)
		standStill()
		b.setRate(100, 50, time.Now()) // another connection of the same peer opens
		if n := takeAll(b); n != 192 {
			t.Errorf("%d let in, want the burst of 100 and 92 for 1.85 s", n)
		}
	})
}
