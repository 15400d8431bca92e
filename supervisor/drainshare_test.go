package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// Identities whose connections drain before they send their burst count for the share of departed identities as well.
func TestDrainingIdentitiesCountForTheShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.MaxConns, s.cfg.RateBurst, s.cfg.RateRefill = 8, 40, 0.001 // an eighth of the set: 81 ids
			s.cfg.PingInterval = time.Hour
		})
		address := n.Attach("10.0.0.99")
		visit := func(drain bool, messages int) {
			t.Helper()
			peer := dialRefpeer(t, address, node)
			defer peer.Close()
			must := func(_ string, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(peer.Send(refpeer.TypePing, node.id(), map[string]any{"sentAt": 1}))
			if drain {
				must(peer.Send(refpeer.TypeDisconnect, node.id(), map[string]any{"reason": actors.ReasonDuplicate, "code": 1000}))
			}
			for i := range messages {
				must(peer.Send("stats", node.id(), i))
			}
			synctest.Wait()
		}
		for range 5 {
			visit(true, 17)
		}
		if got := node.count(actors.MessagesReceived); got != 5*19 {
			t.Fatalf("%d messages of draining connections delivered, want %d", got, 5*19)
		}
		node.wantCount(actors.MessagesRefused, 0)
		visit(false, 4)
		node.wantCount(actors.MessagesRefused, 5)
	})
}

// dialRefpeer connects a reference peer with its own identity. It never reads, so no close frame stops its sending.
func dialRefpeer(t *testing.T, from *memnet.Host, to *testNode) *refpeer.Conn {
	t.Helper()
	identity, err := refpeer.New("stranger")
	if err != nil {
		t.Fatal(err)
	}
	opts := refpeer.Options{Identity: identity, NetDial: from.DialContext, Stall: true}
	peer, err := refpeer.Dial(t.Context(), to.URL(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return peer
}
