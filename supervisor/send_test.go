package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

func unlimited(s *nodeSetup) { s.cfg.RateRefill = 0 }

func TestSendWorksBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1, unlimited), startNode(t, n, 2, unlimited)
		a.dial(b)
		var want []string
		for i := range 1000 {
			msg := a.to(b.id(), "stats", i)
			want = append(want, msg.ID)
			if err := a.Send(b.id(), msg); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.got("stats"); !slices.Equal(got, want) {
			t.Errorf("%d arrived, want 1000 in order and once", len(got))
		}
		if err := b.Send(a.id(), b.to(a.id(), "logs", nil)); err != nil || len(a.got("logs")) != 1 {
			t.Errorf("the other way: %v, %d arrived", err, len(a.got("logs")))
		}
		if up := eventsOf[PeerUp](b); len(up) != 1 || up[0].Peer != a.id() || up[0].Verified || up[0].Direction != Inbound {
			t.Errorf("up %+v", up)
		}
		if n := len(eventsOf[PeerVerified](b)); n != 1 {
			t.Errorf("%d verified, want 1", n)
		}
		if up := eventsOf[PeerUp](a); len(up) != 1 || !up[0].Verified || up[0].Direction != Outbound {
			t.Errorf("up %+v", up)
		}
	})
}

// Each error wraps its sentinel and names the peer.
func TestSendReturnsSentinels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		small := func(s *nodeSetup) { s.cfg.QueueMessages, s.cfg.MaxMessageSize = 2, 300_000 }
		a, b := startNode(t, n, 1, small), startNode(t, n, 2, small)
		c := a.dial(b)
		check := func(name string, err, want error, peer string) {
			t.Helper()
			var named *PeerError
			if !errors.Is(err, want) || !errors.As(err, &named) || named.Peer != peer {
				t.Errorf("%s: %v, want %v for %s", name, err, want, peer)
			}
		}
		stranger := strings.Repeat("0", 32)
		check("unknown peer", a.Send(stranger, a.to(stranger, "stats", nil)), ErrNotConnected, stranger)
		check("too large", a.Send(b.id(), a.to(b.id(), "stats", strings.Repeat("x", 300_000))), ErrTooLarge, b.id())
		n.Stall("10.0.0.1", "10.0.0.2")
		big := func() *wire.Message { return a.to(b.id(), "stats", strings.Repeat("x", 200_000)) }
		results := make(chan error, 4)
		for range 4 {
			go func() { results <- a.Send(b.id(), big()) }()
			synctest.Wait()
		}
		if err := <-results; !errors.Is(err, ErrQueueFull) && err != nil {
			t.Errorf("the first of four: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		check("given up", a.SendContext(ctx, b.id(), a.to(b.id(), "x", nil)), ErrQueueFull, b.id())
		for range 3 {
			if err := <-results; !errors.Is(err, ErrClosed) && !errors.Is(err, ErrQueueFull) {
				t.Errorf("a stuck one: %v", err)
			}
		}
		synctest.Wait()
		check("closed", c.Send(big()), ErrClosed, b.id())
		check("gone", a.Send(b.id(), big()), ErrNotConnected, b.id())
		n.Resume("10.0.0.1", "10.0.0.2")
	})
}

func TestBroadcastSkipsFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub := startNode(t, n, 1)
		var others []*testNode
		for i := range 5 {
			o := startNode(t, n, 2+i)
			o.dial(hub)
			others = append(others, o)
		}
		msg := hub.to("", "stats", "to all")
		if r := hub.BroadcastContext(t.Context(), msg); r.Sent != 5 || len(r.Failed) != 0 || r.Err() != nil {
			t.Errorf("got %+v", r)
		}
		relayed := others[2].to("", "logs", "relayed")
		if r := hub.BroadcastContext(t.Context(), relayed); r.Sent != 4 || r.Err() != nil {
			t.Errorf("relayed with %+v, want all but its maker", r)
		}
		for i, o := range others {
			want := 1
			if i == 2 {
				want = 0
			}
			if len(o.got("stats")) != 1 || len(o.got("logs")) != want {
				t.Errorf("node %d: %d and %d", i, len(o.got("stats")), len(o.got("logs")))
			}
		}
	})
}

// A peer that stops reading is closed. The 20 other peers get every broadcast without delay.
func TestSlowPeerDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.QueueMessages, s.cfg.MaxConnsPerAddress = 50, -1 })
		var others []*testNode
		for i := range 21 {
			o := startNode(t, n, 2+i, unlimited)
			o.dial(hub)
			others = append(others, o)
		}
		slow := others[20]
		n.Stall("10.0.0.1", slow.host.IP())
		text := strings.Repeat("x", 10_000)
		missed := 0
		for i := range 100 {
			before := time.Now()
			err := hub.Broadcast(hub.to("", "stats", text)).Err()
			if time.Since(before) != 0 {
				t.Fatalf("broadcast %d took %v", i, time.Since(before))
			}
			if err != nil {
				var list *BroadcastError
				if !errors.As(err, &list) || len(list.Failed) != 1 || list.Failed[0].Peer != slow.id() ||
					!errors.Is(err, ErrQueueFull) {
					t.Fatalf("broadcast %d: %v", i, err)
				}
				missed++
			}
			synctest.Wait()
			for j, o := range others[:20] {
				if k := o.node.Counters.Get(actors.MessagesReceived); int(k) < i+1 {
					t.Fatalf("node %d has %d of %d at once", j, k, i+1)
				}
			}
			time.Sleep(50 * time.Millisecond)
		}
		for j, o := range others[:20] {
			if k := len(o.got("stats")); k != 100 {
				t.Errorf("node %d has %d of 100", j, k)
			}
		}
		if missed == 0 {
			t.Error("the slow peer missed nothing: nothing was tested")
		}
		hub.wantCount(actors.SlowPeersClosed, 1)
		if hub.ConnectedPeers() != 20 {
			t.Errorf("%d connected, want 20", hub.ConnectedPeers())
		}
		n.Heal()
	})
}

// A nil message returns the same error from every method of sending.
func TestSendRefusesNilMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		c := a.dial(b)
		_, asked := a.Request(b.id(), nil)
		for how, err := range map[string]error{"Send": a.Send(b.id(), nil), "Post": c.Post(nil), "Request": asked} {
			if !containsText(err, "peer "+b.id()+": there is no message") {
				t.Errorf("%s: %v", how, err)
			}
		}
		b.wantSlots(1, 0)
	})
}

func TestRequestReturnsTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		b.handler = func(c *PeerConnection, msg *wire.Message) {
			if msg.Type == "get_stats" {
				reply, err := msg.Reply("stats", "answer")
				if err == nil {
					err = c.Send(reply)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}
		a.dial(b)
		reply, err := a.Request(b.id(), a.to(b.id(), "get_stats", nil))
		if err != nil || string(reply.Payload) != `"answer"` || len(a.got("stats")) != 1 {
			t.Errorf("%+v, %v; the handler saw %d", reply, err, len(a.got("stats")))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.RequestContext(ctx, b.id(), a.to(b.id(), "never answered", nil)); !errors.Is(err,
			context.DeadlineExceeded) {
			t.Errorf("never answered: %v", err)
		}
		ended := make(chan error, 1)
		msg := a.to(b.id(), "never answered", nil)
		go func() { _, err := a.Request(b.id(), msg); ended <- err }()
		synctest.Wait()
		a.GetConnection(b.id()).GracefulClose("enough", wire.DisconnectNormal)
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("the connection ended: %v, want ErrClosed", err)
		}
		if k := len(a.replies.waiting); k != 0 {
			t.Errorf("%d requests are still waited for", k)
		}
	})
}

// Only the peer that was asked can answer a request.
func TestRequestIgnoresOtherPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b, c := startNode(t, n, 1), startNode(t, n, 2), startNode(t, n, 3)
		a.dial(b)
		a.dial(c)
		msg := a.to(b.id(), "get_stats", nil)
		answered := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		go func() { _, err := a.RequestContext(ctx, b.id(), msg); answered <- err }()
		synctest.Wait()
		forged := c.to(a.id(), "stats", "forged")
		forged.ReplyTo, forged.From = msg.ID, b.id()
		if err := c.Send(a.id(), forged); err != nil {
			t.Fatal(err)
		}
		if err := <-answered; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("answered by another: %v", err)
		}
	})
}
