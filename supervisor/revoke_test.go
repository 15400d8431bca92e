package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// revoked starts a node, and returns an identity with a function that revokes it there.
func revoked(t *testing.T, n *memnet.Network) (node *testNode, identity *refpeer.Identity, revoke func()) {
	t.Helper()
	node = startNode(t, n, 1)
	identity, err := refpeer.New("revoked")
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypto.ParsePublicKey(identity.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return node, identity, func() {
		if err := node.Revoke(key); err != nil {
			t.Error(err)
		}
	}
}

// wantNothing requires that the peer left no route, no event of a proof and no delivered message, and occupies no slot.
func (n *testNode) wantNothing(peer string) {
	n.t.Helper()
	time.Sleep(time.Minute)
	n.wantSlots(0, 0)
	if n.GetConnection(peer) != nil || len(n.got("stats")) != 0 || len(eventsOf[PeerVerified](n)) != 0 {
		n.t.Errorf("a route %v, messages %v, events %+v", n.GetConnection(peer), n.got("stats"), n.seen())
	}
}

// A key is revoked between the upgrade and the handshake of its peer: the peer is refused.
func TestRevokeBeforeTheHandshakeRefusesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, identity, revoke := revoked(t, n)
		_, err := refpeer.Dial(t.Context(), node.URL(), refpeer.Options{
			Identity: identity, NetDial: n.Attach("10.0.0.5").DialContext,
			Spoil: func(map[string]any) { node.wantSlots(0, 1); revoke() },
		})
		var refused *refpeer.RefusedError
		if !errors.As(err, &refused) || refused.Reason != "peer not authorized" {
			t.Errorf("dial: %v, want a refusal", err)
		}
		node.wantNothing(identity.ID)
		node.wantCount(actors.HandshakesRejected, 1)
	})
}

// A key is revoked after the ack, before its peer has proved anything: the messages that follow are not delivered, with
// and without binds.
func TestRevokeBeforeTheProofDeliversNothing(t *testing.T) {
	for _, bind := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(1)
			node, identity, revoke := revoked(t, n)
			peer, err := refpeer.Dial(t.Context(), node.URL(), refpeer.Options{
				Identity: identity, Bind: bind, NetDial: n.Attach("10.0.0.5").DialContext,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			node.wantSlots(1, 0)
			revoke()
			synctest.Wait() // the connection begins to close
			_, err = peer.Send("stats", node.id(), 1)
			synctest.Wait()
			if after := node.count(actors.MessagesAfterGoodbye); err == nil && after != 1 {
				t.Errorf("bind %v: %d messages after the goodbye, want 1", bind, after)
			}
			node.wantNothing(identity.ID)
		})
	}
}

// A key is revoked while our dial to its peer waits for the ack: the dial fails with ErrRevoked.
func TestRevokeDuringOurDialFailsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, identity, revoke := revoked(t, n)
		ln, err := n.Attach("10.0.0.5").Listen(9091)
		if err != nil {
			t.Fatal(err)
		}
		server := refpeer.Serve(ln, refpeer.Options{
			Identity: identity, SpoilAck: func([]byte, map[string]any) { revoke() },
		})
		defer server.Close()
		for _, id := range []string{"", identity.ID} { // by its address, then by its id
			if _, err := node.Connect(&Peer{Address: "10.0.0.5:9091", ID: id}); !errors.Is(err, ErrRevoked) {
				t.Errorf("connect with id %q: %v, want ErrRevoked", id, err)
			}
		}
		node.wantNothing(identity.ID)
		node.wantCount(actors.Dials, 1)
	})
}

// A revoked peer comes back through a relay, from another address and under another name: it is refused each time.
func TestRevokedPeerIsRefusedFromAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, identity, revoke := revoked(t, n)
		revoke()
		for i, ip := range []string{"10.0.0.5", "10.0.0.6", "127.0.0.1"} {
			_, err := refpeer.Dial(t.Context(), node.URL(), refpeer.Options{
				Identity: identity, NetDial: n.Attach(ip).DialContext,
				Spoil: func(payload map[string]any) {
					public := identity.Public
					public.Name = []string{"a", "b", "c"}[i]
					payload["identity"] = public
				},
			})
			var refused *refpeer.RefusedError
			if !errors.As(err, &refused) {
				t.Errorf("from %s: %v, want a refusal", ip, err)
			}
		}
		relay := n.Attach("10.0.0.7")
		ln, err := relay.Listen(9091)
		if err != nil {
			t.Fatal(err)
		}
		server := refpeer.Serve(ln, refpeer.Options{Identity: identity})
		defer server.Close()
		if _, err := node.Connect(&Peer{Address: "10.0.0.7:9091"}); !errors.Is(err, ErrRevoked) {
			t.Errorf("our dial of its new address: %v, want ErrRevoked", err)
		}
		node.wantNothing(identity.ID)
	})
}
