package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

func TestBucketOfFollowsStrength(t *testing.T) {
	for name, c := range map[string]struct {
		strength   actors.Strength
		id, remote string
		want       bucketKey
	}{
		"claimed: the address group, whatever the id": {
			actors.Claimed, "victim", "203.0.113.7:1",
			bucketKey{host: "203.0.113.7"},
		},
		"claimed, IPv6: the /64": {
			actors.Claimed, "victim", "[2001:db8:1:2:3:4:5:6]:1", bucketKey{host: addressGroup("[2001:db8:1:2::1]:9")},
		},
		"claimed, loopback: the host":     {actors.Claimed, "victim", "127.0.0.1:1", bucketKey{host: "127.0.0.1"}},
		"unmarked: peer and host":         {actors.Unmarked, "peer", "203.0.113.7:1", bucketKey{"peer", "203.0.113.7"}},
		"bound: the peer, wherever it is": {actors.Bound, "peer", "203.0.113.7:1", bucketKey{peer: "peer"}},
	} {
		if got := bucketOf(c.strength, c.id, c.remote); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Two frames of a connection pass although its address group has drained the bucket, and no more than two.
func TestProofLimiterPassesTwoFramesWithoutTokens(t *testing.T) {
	now := time.Now()
	shared := &bucket{limiter: *actors.NewPeerRateLimiter(3, 1, now)}
	first := &proofLimiter{free: freeFrames, bucket: shared}
	for i, want := range []bool{true, true, true, false, false} { // free frames still take available tokens
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

// A stranger has drained the bucket of its address group. A peer of the same address still proves itself.
func TestProofPassesEmptyGroupBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.RateBurst, s.cfg.RateRefill = 5, 0.001 })
		flooder := impostor(t, n, "10.0.0.5", node.addr, newKeys(t, "stranger").Identity())
		for range 10 {
			if err := flooder.Write(t.Context(), websocket.MessageBinary, []byte("no frame")); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		node.wantCount(actors.MessagesRateLimited, 10-5)
		flooder.CloseNow()
		peer := startNode(t, n, 5)
		peer.dial(node)
		if c := node.GetConnection(peer.id()); c == nil || c.Strength() < Bound {
			t.Errorf("the peer has not proven itself: %+v", c)
		}
	})
}
