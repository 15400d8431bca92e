package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// Both nodes dial at once: the same connection becomes the route on both sides, and the other one is closed.
func TestSimultaneousDialsKeepOneConnection(t *testing.T) {
	for _, latency := range []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			small, large := sortedPair(t, n)
			n.SetLatency("10.0.0.1", "10.0.0.2", latency)
			n.SetLatency("10.0.0.2", "10.0.0.1", latency)
			done := make(chan error, 2)
			go func() { _, err := small.Connect(&Peer{Address: large.addr, ID: large.id()}); done <- err }()
			go func() { _, err := large.Connect(&Peer{Address: small.addr, ID: small.id()}); done <- err }()
			for range 2 {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			time.Sleep(20 * time.Second)
			small.wantSlots(1, 0)
			large.wantSlots(1, 0)
			ours, theirs := small.GetConnection(large.id()).Direction(), large.GetConnection(small.id()).Direction()
			if ours == theirs {
				t.Errorf("%v: both sides carry an %v connection: not the same one", latency, ours)
			}
			both := small.count(actors.HandshakesAccepted) == 2
			if both && ours != Outbound {
				t.Errorf("%v: of two, the one of the larger ID carries", latency)
			}
			if latency > 0 && !both {
				t.Errorf("%v: only one was opened: nothing was tested", latency)
			}
			if a, b := len(eventsOf[PeerUp](small)), len(eventsOf[PeerDown](small)); a != 1 || b != 0 {
				t.Errorf("%d up and %d down events, want 1 and none", a, b)
			}
		})
	}
}

// A peer returns while its old connection is still open: the new one takes over once verified, long before the old one
// times out.
func TestReturningPeerTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1)
		keys, err := crypto.NewEphemeralNodeManager("traveller", crypto.RoleDual)
		if err != nil {
			t.Fatal(err)
		}
		same := func(s *nodeSetup) { s.keys = keys }
		old := startNode(t, n, 2, same)
		old.dial(node)
		old.host.Crash(true) // without a disconnect message
		back := startNode(t, n, 3, same)
		back.dial(node)
		node.wantSlots(2, 0)
		if err := node.Send(back.id(), node.to(back.id(), "stats", nil)); err != nil || len(back.got("stats")) != 1 {
			t.Errorf("%v; %d arrived by the new connection, want 1", err, len(back.got("stats")))
		}
		time.Sleep(time.Minute)
		node.wantSlots(1, 0)
		if down := eventsOf[PeerDown](node); len(down) != 0 {
			t.Errorf("down %+v, though the peer is there", down)
		}
	})
}

// The same, with an old connection that would win if both lived: the node with the smaller ID opened it.
func TestReturningDialledPeerTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, old := sortedPair(t, n)
		node.dial(old)
		old.host.Crash(true)
		back := startNode(t, n, 3, func(s *nodeSetup) { s.keys = old.keys })
		back.dial(node)
		node.wantSlots(2, 0)
		if err := node.Send(back.id(), node.to(back.id(), "stats", nil)); err != nil || len(back.got("stats")) != 1 {
			t.Errorf("%v; %d arrived by the new connection, want 1", err, len(back.got("stats")))
		}
		time.Sleep(time.Minute)
		node.wantSlots(1, 0)
		if c := node.GetConnection(back.id()); c == nil || c.Direction() != Inbound {
			t.Error("the connection that is gone still carries")
		}
	})
}

func TestRevokeDisconnectsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, other, third := startNode(t, n, 1), startNode(t, n, 2), startNode(t, n, 3)
		other.dial(node)
		third.dial(node)
		if err := node.Revoke(other.keys.PublicKey()); err != nil {
			t.Fatal(err)
		}
		if down := eventsOf[PeerDown](other); len(down) != 1 || down[0].Reason != wire.ReasonNotAuthorized {
			t.Errorf("down %+v", down)
		}
		if _, err := other.Connect(&Peer{Address: node.addr}); !errors.Is(err, ErrRefused) {
			t.Errorf("coming back: %v, want a refusal", err)
		}
		if _, err := node.Connect(&Peer{Address: other.addr}); err == nil {
			t.Error("dialled a revoked peer")
		}
		node.wantSlots(1, 0)
		if err := node.SetAuthMode(PeerAuthAllowlist); err != nil {
			t.Fatal(err)
		}
		node.wantSlots(0, 0)
	})
}

// A reconnect does not refill the bucket.
func TestReconnectKeepsSpentTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, other := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.RateRefill = 0.001 }), startNode(t, n, 2, unpaced)
		for range 3 {
			c := other.dial(node)
			for range 60 {
				if err := c.Send(other.to(node.id(), "stats", nil)); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			c.GracefulClose("again", wire.DisconnectNormal)
			time.Sleep(2 * time.Second)
		}
		if got := len(node.got("stats")); got > 100 || got < 90 {
			t.Errorf("%d of 180 handled over three connections, want about the one bucket of 100", got)
		}
	})
}
