package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// With pacing off all messages go out at once, and the sender's counter equals the receiver's drops. Without sessions:
// there a record that finds no token waits.
func TestPacingOffCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, c := pacedPair(t, unpaced, sessionsOff)
		from.post(c, 300)
		const passed = 100 - 1 // the ping of the opening
		if got := len(to.got("stats")); got != passed {
			t.Errorf("%d arrived, want %d", got, passed)
		}
		to.wantCount(actors.MessagesRateLimited, 300-passed)
		from.wantCount(actors.MessagesOverPeerRate, 300-passed)
		time.Sleep(900 * time.Millisecond) // 45 tokens
		from.post(c, 60)
		to.wantCount(actors.MessagesRateLimited, 300-passed+15)
		from.wantCount(actors.MessagesOverPeerRate, 300-passed+15)
	})
}

// In a session a peer over its rate waits: each record takes its token before it is opened, and none is dropped. Of
// several messages in one record those without a token are dropped and counted.
func TestUnpacedRecordsWaitForTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, c := pacedPair(t, unpaced)
		const count, passed = 300, 100 - 2 // the ping of the opening and the pong to that of the peer
		for i := range count {
			if err := c.Send(from.to(to.id(), "stats", i)); err != nil { // one message in each record
				t.Fatal(err)
			}
		}
		if got := len(to.got("stats")); got != passed {
			t.Errorf("%d arrived at once, want %d", got, passed)
		}
		from.wantCount(actors.MessagesOverPeerRate, count-passed)
		const wait = (count - passed) * time.Second / 50
		time.Sleep(wait - 20*time.Millisecond)
		if got := len(to.got("stats")); got >= count {
			t.Errorf("%d arrived before there were tokens for them", got)
		}
		time.Sleep(40 * time.Millisecond)
		if got := len(to.got("stats")); got != count {
			t.Errorf("%d of %d arrived after %v", got, count, wait)
		}
		to.wantCount(actors.MessagesRateLimited, 0)
		from.post(c, count)
		time.Sleep(time.Minute)
		got, dropped := len(to.got("stats"))-count, int(to.count(actors.MessagesRateLimited))
		if got+dropped != count || got == 0 {
			t.Errorf("of %d messages in shared records %d arrived and %d were counted", count, got, dropped)
		}
		from.wantSlots(1, 0)
	})
}

// A peer that announces no limit gets all messages at once and has no bucket.
func TestPeerWithoutLimitIsNotPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		to, from := startNode(t, n, 1, unlimited), startNode(t, n, 2)
		c := from.dial(to)
		from.post(c, 1000)
		if got := len(to.got("stats")); got != 1000 || c.handle.SendBucket() != nil {
			t.Errorf("%d arrived, bucket %v", got, c.handle.SendBucket())
		}
	})
}

// The announced limit is the one in force when a connection opens. The mode, too, applies to new connections.
func TestPacingFollowsReconfigure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, c := pacedPair(t)
		to.reconfigured(func(c *TransportConfig) { c.RateBurst, c.RateRefill = 1000, 10 }, "RateBurst RateRefill", "")
		c.GracefulClose("again", wire.DisconnectNormal)
		synctest.Wait()
		c = from.dial(to)
		if fill := c.handle.SendBucketFill(); fill.Round(time.Second) != 204*time.Second {
			t.Errorf("the bucket fills within %v, want that of 1000 tokens at 9.8 a second, twice", fill)
		}
		from.reconfigured(func(c *TransportConfig) { c.Pacing = PacingOff }, "Pacing", "")
		c.GracefulClose("again", wire.DisconnectNormal)
		synctest.Wait()
		from.post(from.dial(to), 200)
		if messages, _ := from.GetConnection(to.id()).Queued(); messages != 0 {
			t.Errorf("%d wait with pacing off", messages)
		}
	})
}

// A graceful close does not wait for tokens. It flushes the queue and counts the messages above the limit.
func TestGracefulCloseFlushesUnpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, c := pacedPair(t)
		from.post(c, atOnce+100)
		c.GracefulClose("enough", wire.DisconnectNormal)
		if got := len(to.got("stats")); got != 100-2 {
			t.Errorf("%d arrived, want what the limit admits", got)
		}
		from.wantCount(actors.MessagesOverPeerRate, 99) // one token had been left over
		to.wantCount(actors.MessagesRateLimited, atOnce+100-(100-2)+1)
		if down := eventsOf[PeerDown](from); len(down) != 1 || down[0].Remote {
			t.Errorf("ended %+v", down)
		}
	})
}

// An unverified connection has its own bucket. With the proof, it uses the peer's bucket.
func TestUnverifiedConnectionHasItsOwnBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		verified := make(chan *PeerConnection, 99)
		node := startNode(t, n, 1, func(s *nodeSetup) {
			s.handler = func(c *PeerConnection, _ *wire.Message) { verified <- c }
		})
		peer := startNode(t, n, 2)
		peer.dial(node)
		first := node.GetConnection(peer.id())
		time.Sleep(10 * time.Second) // its bucket is full
		again := startNode(t, n, 3, func(s *nodeSetup) { s.keys = peer.keys })
		n.SetLatency("10.0.0.3", "10.0.0.1", 100*time.Millisecond)
		again.dial(node)
		n.Stall("10.0.0.3", "10.0.0.1") // it gets pings, and proves nothing
		node.wantSlots(2, 0)
		node.post(first, 100)
		if got := len(peer.got("stats")); got != 99 {
			t.Errorf("%d arrived at once, want 99: the other connection's ping took a token of the peer", got)
		}
		n.Resume("10.0.0.3", "10.0.0.1")
		second := <-verified
		for second == first {
			second = <-verified
		}
		if second.handle.SendBucket() != first.handle.SendBucket() {
			t.Error("after its proof the second connection has a bucket of its own")
		}
	})
}
