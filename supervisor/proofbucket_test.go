package supervisor

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
)

func TestBucketOfFollowsStrength(t *testing.T) {
	for name, c := range map[string]struct {
		strength   actors.Strength
		id, remote string
		want       bucketKey
	}{
		"claimed: the address group, whatever the id": {actors.Claimed, "victim", "203.0.113.7:1", bucketKey{host: "203.0.113.7"}},
		"claimed, IPv6: the /64":                      {actors.Claimed, "victim", "[2001:db8:1:2:3:4:5:6]:1", bucketKey{host: addressGroup("[2001:db8:1:2::1]:9")}},
		"claimed, loopback: the host":                 {actors.Claimed, "victim", "127.0.0.1:1", bucketKey{host: "127.0.0.1"}},
		"unmarked: peer and host":                     {actors.Unmarked, "peer", "203.0.113.7:1", bucketKey{"peer", "203.0.113.7"}},
		"bound: the peer, wherever it is":             {actors.Bound, "peer", "203.0.113.7:1", bucketKey{peer: "peer"}},
	} {
		if got := bucketOf(c.strength, c.id, c.remote); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Two frames of a connection pass although its address group has emptied the bucket; no more than two.
func TestProofLimiterPassesTwoFramesWithoutTokens(t *testing.T) {
	now := time.Now()
	shared := &bucket{limiter: actors.NewPeerRateLimiter(3, 1, now)}
	first := &proofLimiter{free: freeFrames, bucket: shared}
	for i, want := range []bool{true, true, true, false, false} { // the free ones take tokens that are there
		if got := first.Take(now); got != want {
			t.Errorf("frame %d of the first connection: %v, want %v", i, got, want)
		}
	}
	second := &proofLimiter{free: freeFrames, bucket: shared}
	for i, want := range []bool{true, true, false} {
		if got := second.Take(now); got != want {
			t.Errorf("frame %d of the second connection: %v, want %v", i, got, want)
		}
	}
	if !second.Take(now.Add(time.Second)) {
		t.Error("no frame after a refill")
	}
}
