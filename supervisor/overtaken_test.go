package supervisor

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/smsg"
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
		node.wantSlots(0, 0)
	})
}

// foreignFrame returns a frame from one node to another that is sealed for none of their connections.
func foreignFrame(t *testing.T, from, to *testNode) []byte {
	t.Helper()
	secret, err := from.keys.SharedSecret(to.keys.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	key, err := smsg.NewKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := key.NewSealer(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := wire.AppendSealedBody(make([]byte, smsg.Headroom), from.to(to.id(), "chat", nil), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	bind := crypto.NewBind(crypto.Initiator, []byte("another"), []byte("connection"))
	text = append(text, wire.NewSealedEnd(bind[:])...)
	return sealer.Seal(text[:0], text[smsg.Headroom:])
}

// TestForeignFrameIsReportedAfterTheEnd: the news that a connection's actor has stopped overtakes, in the registry's
// mailbox, the report of a frame that was sealed for another connection. DowngradeRefused is published all the same.
func TestForeignFrameIsReportedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		log := stuckLog{slog.DiscardHandler, make(chan struct{})}
		node := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.MaxConns = 1
			s.options = append(s.options, WithLogger(slog.New(log)))
		})
		victim, refused := startNode(t, n, 2), startNode(t, n, 3)
		ws := impostor(t, n, "10.0.0.5", node.addr, victim.Identity())
		defer ws.CloseNow()
		go func() { _, _ = refused.Connect(&Peer{Address: node.addr}) }()
		synctest.Wait()
		if err := ws.Write(t.Context(), websocket.MessageBinary, foreignFrame(t, victim, node)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second) // the actor has stopped
		close(log.release)
		synctest.Wait()
		if got := eventsOf[DowngradeRefused](node); len(got) != 1 || got[0].Peer != victim.id() || got[0].Connection != 1 {
			t.Errorf("events %+v, want one about %s on connection 1", got, victim.id())
		}
		node.wantSlots(0, 0)
	})
}
