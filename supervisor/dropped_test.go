package supervisor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// dropTotal returns the number of Dropped events over the rate limit and the sum of their counts.
func (n *testNode) dropTotal() (events, messages int) {
	for _, e := range eventsOf[Dropped](n) {
		if e.Reason == actors.MessagesRateLimited.String() {
			events, messages = events+1, messages+e.Count
		}
	}
	return events, messages
}

// limitedHub starts a node with a low rate limit and without sessions, in which records wait for tokens, and a peer
// that sends without pacing.
func limitedHub(t *testing.T, n *memnet.Network) (hub, peer *testNode) {
	t.Helper()
	hub = startNode(t, n, 1, sessionsOff, func(s *nodeSetup) { s.cfg.RateBurst, s.cfg.RateRefill = 10, 1 })
	peer = startNode(t, n, 2, func(s *nodeSetup) { s.cfg.Pacing = PacingOff })
	return hub, peer
}

// flood sends 20 messages, above the hub's rate limit.
func (n *testNode) flood(c *PeerConnection) {
	n.t.Helper()
	for range 20 {
		if err := c.Send(n.to(c.Peer().ID, "chat", "x")); err != nil {
			n.t.Fatal(err)
		}
	}
	synctest.Wait()
}

// A peer that reconnects within a second does not multiply Dropped events: one comes at once, and one with all further
// drops a second later, for all its connections.
func TestDroppedEventsAreLimitedPerPeerAcrossReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, peer := limitedHub(t, memnet.New(1))
		for range 5 {
			c := peer.dial(hub)
			peer.flood(c)
			c.GracefulClose("again", wire.DisconnectNormal)
			synctest.Wait()
		}
		if events, messages := hub.dropTotal(); events != 1 || messages != 1 {
			t.Errorf("%d events for %d drops at once, want 1 for 1", events, messages)
		}
		time.Sleep(time.Second)
		events, messages := hub.dropTotal()
		if dropped := int(hub.count(actors.MessagesRateLimited)); events != 2 || messages != dropped || dropped < 80 {
			t.Errorf("%d events for %d drops after a second, want 2 for %d", events, messages, dropped)
		}
	})
}

// Two connections of one peer share one account of drops. Another peer has its own.
func TestDroppedEventsAreLimitedPerPeerNotPerConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, peer := limitedHub(t, n)
		other := startNode(t, n, 3, func(s *nodeSetup) { s.cfg.Pacing = PacingOff })
		same := startNode(t, n, 4, func(s *nodeSetup) { s.keys, s.cfg.Pacing = peer.keys, PacingOff })
		peer.flood(peer.dial(hub))
		same.flood(same.dial(hub))
		if events, _ := hub.dropTotal(); events != 1 {
			t.Errorf("%d events of one peer with two connections, want 1", events)
		}
		other.flood(other.dial(hub))
		if events, _ := hub.dropTotal(); events != 2 {
			t.Errorf("%d events of two peers, want 2", events)
		}
	})
}

// Invalid frames on unverified connections that claim a peer cause no event of that peer, and delay none.
func TestDroppedEventsIgnoreUnverifiedClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, peer := limitedHub(t, n)
		c := peer.dial(hub)
		for range 5 {
			ws := impostor(t, n, "10.0.0.5", hub.addr, peer.Identity())
			for range 20 {
				if err := ws.Write(context.Background(), websocket.MessageText, []byte("junk")); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			ws.CloseNow()
		}
		synctest.Wait()
		if all := eventsOf[Dropped](hub); len(all) != 0 || hub.count(actors.FramesMalformed) == 0 {
			t.Errorf("events %+v for %d malformed frames of strangers, want none", all, hub.count(actors.FramesMalformed))
		}
		peer.flood(c)
		if events, messages := hub.dropTotal(); events != 1 || messages != 1 {
			t.Errorf("%d events for %d drops of the peer, want 1 for 1", events, messages)
		}
	})
}
