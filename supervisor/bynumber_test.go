package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// peerInfo returns the entry of one peer, and the number of entries with its id.
func (n *testNode) peerInfo(id string) (found PeerInfo, entries int) {
	n.t.Helper()
	synctest.Wait()
	all, err := n.Peers(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	for _, p := range all {
		if p.ID == id {
			found, entries = p, entries+1
		}
	}
	return found, entries
}

// A number selects exactly one connection, regardless of the identity that its peer claims.
func TestDisconnectConnectionEndsExactlyOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, peer := startNode(t, n, 1), startNode(t, n, 2)
		peer.dial(hub)
		for range 2 {
			defer impostor(t, n, "10.0.0.5", hub.addr, peer.Identity()).CloseNow()
		}
		info, entries := hub.peerInfo(peer.id())
		if entries != 1 || !info.Verified || len(info.Connections) != 3 || info.Connection != info.Connections[0].Connection {
			t.Fatalf("%d entries, %+v, want one entry with three connections, the verified one first", entries, info)
		}
		claim := info.Connections[2]
		if claim.Verified || hostOf(claim.Address) != "10.0.0.5" || claim.Direction != Inbound {
			t.Errorf("the claim is listed as %+v", claim)
		}
		ended, err := hub.DisconnectConnection(t.Context(), claim.Connection)
		if err != nil || ended.Number() != claim.Connection || ended.Verified() {
			t.Errorf("%v, %v", ended, err)
		}
		info, _ = hub.peerInfo(peer.id())
		if len(info.Connections) != 2 || info.Connections[1].Connection == claim.Connection {
			t.Errorf("afterwards %+v are left, want all but %d", info.Connections, claim.Connection)
		}
		if err := hub.Send(peer.id(), hub.to(peer.id(), "chat", 1)); err != nil {
			t.Error(err)
		}
		if _, err := hub.DisconnectConnection(t.Context(), info.Connection); err != nil {
			t.Error(err)
		}
		if info, _ = hub.peerInfo(peer.id()); info.Verified || len(info.Connections) != 1 {
			t.Errorf("afterwards %+v is left, want the second claim", info)
		}
		if down := eventsOf[PeerDown](peer); len(down) != 1 || !down[0].Remote || down[0].Reason != wire.ReasonOperator {
			t.Errorf("the peer saw %+v", down)
		}
		for _, number := range []uint64{0, 4, claim.Connection} {
			time.Sleep(time.Minute) // the ended connections are gone
			if _, err := hub.DisconnectConnection(t.Context(), number); !errors.Is(err, ErrNotConnected) {
				t.Errorf("number %d: %v, want ErrNotConnected", number, err)
			}
		}
	})
}

// A claim of a known identity changes neither name nor address of the book's entry.
func TestPeersKeepsTheBookBesideAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub, peer := startNode(t, n, 1), startNode(t, n, 2)
		peer.dial(hub)
		peer.stop()
		claimed := peer.Identity()
		claimed.Name = "renamed"
		defer impostor(t, n, "10.0.0.5", hub.addr, claimed).CloseNow()
		info, _ := hub.peerInfo(peer.id())
		if info.Name != "node2" || hostOf(info.Address) != "10.0.0.5" || info.Verified || info.Connection == 0 {
			t.Errorf("listed as %+v, want the known name, and the claim's address and number", info)
		}
	})
}

// DisconnectConnection closes a connection that drains as a duplicate.
func TestDisconnectConnectionEndsADrainingOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		small, large := sortedPair(t, n)
		n.SetLatency("10.0.0.1", "10.0.0.2", 500*time.Millisecond)
		n.SetLatency("10.0.0.2", "10.0.0.1", 500*time.Millisecond)
		done := make(chan struct{}, 2)
		go func() { _, _ = small.Connect(&Peer{Address: large.addr, ID: large.id()}); done <- struct{}{} }()
		go func() { _, _ = large.Connect(&Peer{Address: small.addr, ID: small.id()}); done <- struct{}{} }()
		<-done
		<-done
		for small.count(actors.HandshakesAccepted) < 2 || small.GetConnection(large.id()) == nil {
			time.Sleep(time.Millisecond)
		}
		var draining uint64
		for draining == 0 {
			time.Sleep(time.Millisecond)
			if info, _ := small.peerInfo(large.id()); len(info.Connections) == 1 {
				draining = 3 - info.Connection // of the numbers 1 and 2
			}
		}
		n.Stall("10.0.0.2", "10.0.0.1") // the peer's disconnect message does not arrive
		time.Sleep(15 * time.Second)
		small.wantSlots(1, 1)
		if _, err := small.DisconnectConnection(t.Context(), draining); err != nil {
			t.Error(err)
		}
		time.Sleep(15 * time.Second) // less than the silence that ends a draining connection
		small.wantSlots(1, 0)
		n.Resume("10.0.0.2", "10.0.0.1")
		time.Sleep(time.Second)
		if len(eventsOf[PeerDown](small)) != 0 {
			t.Errorf("events %+v, want no end of the peer", small.seen())
		}
	})
}
