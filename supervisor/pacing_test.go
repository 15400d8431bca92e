package supervisor

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

func unpaced(s *nodeSetup) { s.cfg.Pacing = PacingOff }

// atOnce is the number of messages that a new process sends to a default node at once: half the burst of 100, less the
// opening ping, the pong to that of the peer, and the reserved token.
const atOnce = 50 - 2 - 1

// perMessage is the time between two messages to a default node once the burst is used up: 98 % of 50 per second.
const perMessage = time.Second / 49

// pacedPair returns two default nodes, connected, and the sender's connection.
func pacedPair(t *testing.T, changes ...func(*nodeSetup)) (from, to *testNode, c *PeerConnection) {
	t.Helper()
	n := memnet.New(1)
	to = startNode(t, n, 1)
	from = startNode(t, n, 2, changes...)
	c = from.dial(to)
	synctest.Wait() // the pong
	return from, to, c
}

// post queues count messages and returns their ids.
func (n *testNode) post(c *PeerConnection, count int) (ids []string) {
	n.t.Helper()
	for i := range count {
		msg := n.to(c.Peer().ID, "stats", i)
		if err := c.Post(msg); err != nil {
			n.t.Fatalf("message %d: %v", i, err)
		}
		ids = append(ids, msg.ID)
	}
	synctest.Wait()
	return ids
}

// wantAbout compares a time with the one that the rates make, to a hundredth of a millisecond.
func wantAbout(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if (got - want).Abs() > 10*time.Microsecond {
		t.Errorf("%s took %v, want %v", what, got, want)
	}
}

// A thousand messages posted at once to a default node all arrive in order, in the time of the limit.
func TestPacedBurstLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, c := pacedPair(t)
		began := time.Now()
		want := from.post(c, 1000)
		if got := len(to.got("stats")); got != atOnce {
			t.Errorf("%d arrived at once, want %d", got, atOnce)
		}
		if messages, _ := c.Queued(); messages != 1000-atOnce {
			t.Errorf("%d wait, want %d", messages, 1000-atOnce)
		}
		if err := c.Send(from.to(to.id(), "logs", nil)); !errors.Is(err, ErrPaced) {
			t.Errorf("a Send behind 19 s of messages: %v", err)
		}
		wantAbout(t, "the Send", time.Since(began), 10*time.Second)
		last := from.to(to.id(), "logs", nil)
		if err := c.SendContext(t.Context(), last); err != nil {
			t.Error(err)
		}
		wantAbout(t, "all", time.Since(began), (1001-atOnce)*perMessage)
		if got := to.got("stats"); !slices.Equal(got, want) {
			t.Errorf("%d arrived, want 1000 in order", len(got))
		}
		if got := to.got("logs"); !slices.Equal(got, []string{last.ID}) {
			t.Errorf("arrived after them: %d, want the one that was not withdrawn", len(got))
		}
		to.wantCount(actors.MessagesRateLimited, 0)
		from.wantCount(actors.MessagesOverPeerRate, 0)
		from.wantCount(actors.SlowPeersClosed, 0)
	})
}

// Two goroutines with one connection share its limit; two nodes have one each.
func TestPacedSendersShareTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		to := startNode(t, n, 1)
		began, done := time.Now(), make(chan error, 4)
		for i := range 2 {
			from := startNode(t, n, 2+i)
			c := from.dial(to)
			for range 2 {
				go func() {
					var err error
					for range 100 {
						err = errors.Join(err, c.Send(from.to(to.id(), "stats", nil)))
					}
					done <- err
				}()
			}
		}
		for range 4 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		wantAbout(t, "two senders of each of two nodes", time.Since(began), (200-atOnce)*perMessage)
		if got := len(to.got("stats")); got != 400 {
			t.Errorf("%d arrived, want 400", got)
		}
		to.wantCount(actors.MessagesRateLimited, 0)
	})
}

// A reconnect refills no bucket, neither the sender's nor the receiver's.
func TestPacingSurvivesReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, c := pacedPair(t)
		from.post(c, atOnce)
		c.GracefulClose("again", wire.DisconnectNormal)
		synctest.Wait()
		c = from.dial(to)
		began := time.Now()
		from.post(c, 100)
		if got := len(to.got("stats")); got != atOnce {
			t.Errorf("%d arrived at once over two connections, want %d", got, atOnce)
		}
		if err := c.SendContext(t.Context(), from.to(to.id(), "logs", nil)); err != nil {
			t.Error(err)
		}
		// One token is left. The disconnect, the second ping and the second pong are owed.
		wantAbout(t, "101 messages after a reconnect", time.Since(began), (101+3)*perMessage)
		to.wantCount(actors.MessagesRateLimited, 0)
		c.GracefulClose("again", wire.DisconnectNormal)
		time.Sleep(2 * time.Minute) // the buckets are full by now and were dropped
		c = from.dial(to)
		synctest.Wait() // the pong
		if len(from.post(c, 60)) != len(to.got("stats"))-atOnce-100+60-atOnce {
			t.Errorf("%d arrived in all, want half a burst once more", len(to.got("stats")))
		}
	})
}

// Pings are answered at once while messages wait for tokens, in both directions.
func TestPacingAnswersPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, c := pacedPair(t)
		from.post(c, 500)
		began := time.Now()
		for _, n := range []*testNode{from, to} {
			other := from
			if n == from {
				other = to
			}
			if _, err := n.RequestContext(t.Context(), other.id(),
				n.to(other.id(), wire.MsgPing, wire.PingPayload{})); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("two pings took %v", took)
		}
	})
}

// A full queue returns an error at once. Waiting for tokens never makes a peer a slow one.
func TestPacedQueueReturnsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, c := pacedPair(t, func(s *nodeSetup) { s.cfg.QueueMessages = 1000 })
		from.post(c, atOnce)
		from.post(c, 1000)
		began := time.Now()
		if err := c.Post(from.to(to.id(), "stats", nil)); !errors.Is(err, ErrQueueFull) {
			t.Errorf("Post: %v", err)
		}
		if err := c.Send(from.to(to.id(), "stats", nil)); !errors.Is(err, ErrQueueFull) {
			t.Errorf("Send: %v", err)
		}
		r := from.Broadcast(from.to("", "stats", nil))
		if r.Refused != nil || len(r.Failed) != 1 || !errors.Is(r.Err(), ErrQueueFull) {
			t.Errorf("Broadcast: %+v", r)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("three refusals took %v", took)
		}
		time.Sleep(1000*perMessage + 5*perMessage) // with the pings in between
		if got := len(to.got("stats")); got != atOnce+1000 {
			t.Errorf("%d arrived, want all that the queue took", got)
		}
		from.wantCount(actors.SlowPeersClosed, 0)
		if n := len(eventsOf[PeerDown](from)); n != 0 {
			t.Errorf("%d connections ended", n)
		}
	})
}

// A message whose context ends while it waits for a token is withdrawn.
func TestPacedSendEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, c := pacedPair(t)
		from.post(c, atOnce+100)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := c.SendContext(ctx, from.to(to.id(), "logs", nil)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		wantAbout(t, "the Send", time.Since(began), time.Second)
		time.Sleep(time.Minute)
		if stats, logs := len(to.got("stats")), len(to.got("logs")); stats != atOnce+100 || logs != 0 {
			t.Errorf("%d and %d arrived, want %d and none", stats, logs, atOnce+100)
		}
		if messages, bytes := c.Queued(); messages != 0 || bytes != 0 {
			t.Errorf("%d messages and %d bytes wait", messages, bytes)
		}
	})
}
