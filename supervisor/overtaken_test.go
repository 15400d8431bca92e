package supervisor

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// startBusy starts a node whose registry blocks from the first refused connection until release is closed, with one
// unverified inbound connection.
func startBusy(t *testing.T, n *memnet.Network) (node, peer *testNode, c *PeerConnection, release chan struct{}) {
	t.Helper()
	log := stuckLog{slog.DiscardHandler, make(chan struct{})}
	node = startNode(t, n, 1, func(s *nodeSetup) {
		s.cfg.MaxConns = 1
		s.options = append(s.options, WithLogger(slog.New(log)))
	})
	peer = startNode(t, n, 2)
	n.SetLatency("10.0.0.2", "10.0.0.1", 100*time.Millisecond)
	c = peer.dial(node)
	n.Stall("10.0.0.2", "10.0.0.1")
	refused := startNode(t, n, 3)
	go func() { _, _ = refused.Connect(&Peer{Address: node.addr}) }()
	synctest.Wait()
	return node, peer, c, log.release
}

// TestProofCountsAfterTheEnd: the termination of a connection's actor overtakes its proof in the registry's mailbox.
// The peer is reported as verified, then as down, and stored in the peer book.
func TestProofCountsAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, peer, c, release := startBusy(t, n)
		if err := c.Send(peer.to(node.id(), "chat", nil)); err != nil {
			t.Fatal(err)
		}
		n.Resume("10.0.0.2", "10.0.0.1")
		c.GracefulClose("done", wire.DisconnectNormal)
		time.Sleep(10 * time.Second) // the actors on both sides have stopped
		close(release)
		if got := len(node.got("chat")); got != 1 {
			t.Errorf("%d messages handled, want 1", got)
		}
		events := node.seen()
		kinds := make([]string, 0, len(events))
		for _, e := range events {
			kinds = append(kinds, fmt.Sprintf("%T", e))
		}
		want := []string{"supervisor.PeerUp", "supervisor.PeerVerified", "supervisor.PeerDown"}
		if !slices.Equal(kinds, want) {
			t.Errorf("events %+v, want %v", events, want)
		}
		if known, ok := node.book.Get(peer.id()); !ok || !known.Binds {
			t.Errorf("the book holds %+v, want the peer with its binds", known)
		}
		node.wantPlaces(0, 0)
	})
}
