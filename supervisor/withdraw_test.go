package supervisor

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// wantNothingLeft checks that a peer is not connected, dialled or stored, and is not dialled within ten minutes.
func (n *testNode) wantNothingLeft(peer *testNode, dials uint64) {
	n.t.Helper()
	time.Sleep(10 * time.Minute)
	n.wantSlots(0, 0)
	peer.wantSlots(0, 0)
	n.wantCount(actors.Dials, dials)
	peers, err := n.Peers(context.Background())
	if err != nil || len(peers) != 0 || len(n.book.List()) != 0 {
		n.t.Errorf("peers %+v, book %+v, %v; want none", peers, n.book.List(), err)
	}
	if e := eventsOf[PeerUp](n); len(e) != 0 {
		n.t.Errorf("events %+v", e)
	}
}

// slowPair starts two nodes with a delay of two seconds to the second one.
func slowPair(t *testing.T, changes ...func(*nodeSetup)) (node, peer *testNode) {
	n := memnet.New(1)
	node, peer = startNode(t, n, 1, changes...), startNode(t, n, 2)
	n.SetLatency("10.0.0.1", "10.0.0.2", 2*time.Second)
	return node, peer
}

func TestEndedContextCausesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, peer := startNode(t, n, 1), startNode(t, n, 2)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range 200 {
			_, byPeer := node.ConnectContext(ended, &Peer{Address: peer.addr})
			_, byAddress := node.ConnectAddress(ended, peer.addr)
			if !errors.Is(byPeer, context.Canceled) || !errors.Is(byAddress, context.Canceled) {
				t.Fatalf("%v; %v", byPeer, byAddress)
			}
		}
		node.wantNothingLeft(peer, 0)
		c := node.dial(peer)
		for range 200 {
			_, asked := node.RequestContext(ended, peer.id(), node.to(peer.id(), "stats", nil))
			cast := node.BroadcastContext(ended, node.to("", "stats", nil)).Err()
			for how, err := range map[string]error{
				"Send": node.SendContext(ended, peer.id(), node.to(peer.id(), "stats", nil)), "Request": asked, "Broadcast": cast,
				"conn.Send": c.SendContext(ended, node.to(peer.id(), "stats", nil)), "Disconnect": node.Disconnect(ended, peer.id(),
					true),
			} {
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("%s: %v", how, err)
				}
			}
		}
		if k := len(peer.got("stats")); k != 0 || node.ConnectedPeers() != 1 {
			t.Errorf("%d messages sent; %d connected", k, node.ConnectedPeers())
		}
	})
}

// A caller that withdraws in any phase of the handshake leaves no connection, dial or entry behind.
func TestConnectTimeoutLeavesNothing(t *testing.T) {
	for _, after := range []time.Duration{time.Second, 3 * time.Second, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			node, peer := slowPair(t)
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			if _, err := node.ConnectAddress(ctx, peer.addr); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%v: %v", after, err)
			}
			node.wantSlots(0, 0) // at once
			node.wantNothingLeft(peer, 1)
			if e := eventsOf[DialFailed](node); len(e) != 0 {
				t.Errorf("%v: events %+v", after, e)
			}
		})
	}
}

// One caller withdraws while another waits for the same dial. The other gets its connection, and only its options
// apply.
func TestConnectTimeoutSparesOtherCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node, peer := slowPair(t)
		other := make(chan error, 1)
		go func() { _, err := node.Connect(&Peer{Address: peer.addr}); other <- err }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := node.ConnectAddress(ctx, peer.addr); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if err := <-other; err != nil {
			t.Errorf("the caller that waits: %v", err)
		}
		if p, _ := node.book.Get(peer.id()); p.Persistent {
			t.Error("the peer is kept connected for the caller that has left")
		}
	})
}

// A dial for a kept peer continues without its caller.
func TestConnectTimeoutSparesKeptPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node, peer := slowPair(t, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(time.Minute)
		node.crash(peer.id())
		time.Sleep(2 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := node.ConnectContext(ctx, &Peer{Address: peer.addr}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		node.wantSlots(1, 0)
	})
}

// The context ends when the answer arrives: either the call succeeds and the peer is kept, or nothing is left.
func TestConnectTimeoutMeetsAnswer(t *testing.T) {
	outcomes := make(map[bool]int)
	for i := range 30 {
		synctest.Test(t, func(t *testing.T) {
			n := memnet.New(uint64(i))
			node, peer := startNode(t, n, 1), startNode(t, n, 2)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				for range 20_000 * i { // the handshake takes no virtual time
					if ctx.Err() != nil {
						return
					}
				}
				cancel()
			}()
			_, err := node.ConnectAddress(ctx, peer.addr)
			outcomes[err == nil]++
			time.Sleep(time.Minute)
			p, known := node.book.Get(peer.id())
			if connected := node.GetConnection(peer.id()) != nil; connected != (err == nil) || p.Persistent != (err == nil) {
				t.Errorf("round %d: error %v, connected %v, known %v, persistent %v", i, err, connected, known, p.Persistent)
			}
		})
	}
	t.Logf("%d calls succeeded, %d were withdrawn", outcomes[true], outcomes[false])
}

// If a caller withdraws while the registry opens its connection, the connection is closed.
func TestConnectWithdrawnWhileOpeningIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		returned := make(chan struct{})
		wall := func() time.Time {
			if strings.Contains(string(debug.Stack()), ".(*registry).open(") {
				cancel()
				<-returned
			}
			return time.Now()
		}
		n := memnet.New(1)
		node, peer := startNode(t, n, 1, func(s *nodeSetup) { s.options = []Option{WithClock(wall)} }), startNode(t, n, 2)
		if _, err := node.ConnectAddress(ctx, peer.addr); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(returned)
		time.Sleep(time.Minute)
		node.wantSlots(0, 0)
		peer.wantSlots(0, 0)
		if p, _ := node.book.Get(peer.id()); p.Persistent {
			t.Error("the peer is kept connected")
		}
	})
}

// A call is either answered or withdrawn, never both.
func TestCallHasOneOutcome(t *testing.T) {
	answered, withdrawn := &call{}, &call{}
	if !answered.answer() || answered.withdraw() || !answered.answer() || answered.withdrawn() {
		t.Error("an answered call can be withdrawn")
	}
	if !withdrawn.withdraw() || withdrawn.answer() || !withdrawn.withdrawn() {
		t.Error("a withdrawn call can be answered")
	}
	if none := (*call)(nil); !none.answer() || none.withdrawn() {
		t.Error("a call without a caller to withdraw it is not answered")
	}
}
