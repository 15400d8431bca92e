package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// burst closes the peer's connection, opens another, sends n messages at once and returns the number of deliveries.
func burst(peer, hub *testNode, n int) int {
	if c := peer.GetConnection(hub.id()); c != nil {
		c.GracefulClose("again", wire.DisconnectNormal)
		time.Sleep(time.Millisecond)
	}
	before := len(hub.got("stats"))
	c := peer.dial(hub)
	for range n {
		if err := c.Post(peer.to(hub.id(), "stats", nil)); err != nil {
			peer.t.Error(err)
		}
	}
	return len(hub.got("stats")) - before
}

// A connection that opens after Reconfigure has the new rate, although its peer's bucket is older. Sessions are off: in
// them records wait for tokens.
func TestReconfigureRateReachesIdleBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub := startNode(t, n, 1, sessionsOff, func(s *nodeSetup) { s.cfg.RateBurst, s.cfg.RateRefill = 10, 1 })
		peer := startNode(t, n, 2, unpaced)
		rate := func(perSecond, burst float64) {
			t.Helper()
			hub.reconfigured(func(c *TransportConfig) { c.RateBurst, c.RateRefill = burst, perSecond },
				"RateBurst RateRefill", "")
		}
		if got := burst(peer, hub, 20); got == 0 || got > 10 {
			t.Fatalf("%d of 20 delivered, want 1 to 10 by the first rate", got)
		}
		rate(1000, 1000)
		if got := burst(peer, hub, 100); got != 100 {
			t.Errorf("%d of 100 delivered with a burst of 1000", got)
		}
		time.Sleep(time.Second)
		rate(1, 10)
		if got := burst(peer, hub, 100); got == 0 || got > 10 {
			t.Errorf("%d of 100 delivered, want 1 to 10 after the rate was lowered", got)
		}
		if got := burst(peer, hub, 100); got != 0 {
			t.Errorf("%d of 100 delivered by an empty bucket", got)
		}
		if hub.count(actors.MessagesRateLimited) == 0 {
			t.Error("nothing was counted")
		}
	})
}
