package supervisor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// holdBroadcaster blocks the broadcaster until the returned function is called.
func (n *testNode) holdBroadcaster() (release func()) {
	gate := make(chan struct{})
	n.tellRegistry(&Broadcast{Message: &wire.Message{}}, func(any) { <-gate }) // invalid: no peer gets it
	synctest.Wait()
	return func() { close(gate) }
}

// tellRegistry sends the registry a message of a program.
func (n *testNode) tellRegistry(message any, reply func(any)) {
	n.opts.system.Root.Send(n.PID(), &question{message: message, reply: reply})
}

// fakeRoutes adds routes to peers that do not exist. They share a connection.
func (n *testNode) fakeRoutes(count int, conn *PeerConnection, name string) {
	for i := range count {
		peer := Peer{ID: fmt.Sprint(name, i)}
		n.routes.set(peer.ID, &PeerConnection{handle: conn.handle, peer: peer, bus: conn.bus}, nil)
	}
}

// withoutLimits lets a peer take any number of messages.
func withoutLimits(s *nodeSetup) {
	s.cfg.Pacing, s.cfg.RateRefill, s.cfg.QueueMessages, s.cfg.QueueBytes = PacingOff, 0, 20_000, 1<<30
	s.cfg.QueueTotalBytes = 1 << 31
}

// TestRegistryAnswersDuringBroadcast stops a broadcast to 10,000 routes at its last ones, and requires the registry to
// answer.
func TestRegistryAnswersDuringBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b, c := startNode(t, n, 1, withoutLimits), startNode(t, n, 2, withoutLimits), startNode(t, n, 3)
		ended := a.dial(c)
		if err := a.Disconnect(context.Background(), c.id(), false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		route := a.dial(b)
		a.fakeRoutes(9_999, route, "open")
		a.fakeRoutes(1, ended, "ended") // behind the others: the broadcaster looks for its present route
		result := make(chan *Broadcasted, 1)
		release := a.holdBroadcaster()
		a.tellRegistry(&Broadcast{Message: a.to("", "news", nil)}, func(answer any) { result <- answer.(*Broadcasted) })
		synctest.Wait()
		a.routes.mu.Lock()
		release()
		for messages, _ := route.Queued(); messages == 0; messages, _ = route.Queued() {
			time.Sleep(0) // the broadcaster is at work
		}
		for range 1000 {
			if _, err := a.Status(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case <-result:
			t.Error("the broadcast has ended without the last peer")
		default:
		}
		a.routes.mu.Unlock()
		got := <-result
		if got.Sent != 10_000 || len(got.Failed) != 1 || !errors.Is(got.Failed[0].Err, ErrClosed) {
			t.Errorf("sent %d, failed %v", got.Sent, got.Failed)
		}
	})
}

// TestMessagesBehindBroadcastKeepTheirOrder requires messages of one caller to reach the peer in their order, and the
// close of the connection behind them.
func TestMessagesBehindBroadcastKeepTheirOrder(t *testing.T) {
	for _, end := range []string{"disconnect", "connection", "revoke", "stop"} {
		t.Run(end, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(1)
				a, b := startNode(t, n, 1, withoutLimits), startNode(t, n, 2, withoutLimits)
				conn := a.dial(b)
				release := a.holdBroadcaster()
				var sent []string
				for range 3 {
					for _, to := range []string{"", b.id()} {
						msg := a.to(to, "news", nil)
						sent = append(sent, msg.ID)
						if to == "" {
							a.tellRegistry(&Broadcast{Message: msg}, nil)
						} else {
							a.tellRegistry(&Send{Peer: to, Message: msg}, nil)
						}
					}
				}
				switch end {
				case "disconnect":
					a.tellRegistry(&Disconnect{Peer: b.id(), Code: wire.DisconnectNormal}, nil)
				case "connection":
					a.tellRegistry(&DisconnectConnection{Connection: conn.Number(), Code: wire.DisconnectNormal}, nil)
				case "revoke":
					key, err := crypto.ParsePublicKey(b.Identity().PublicKey)
					if err != nil {
						t.Fatal(err)
					}
					if err := a.Revoke(key); err != nil {
						t.Fatal(err)
					}
				case "stop":
					go a.stop()
				}
				synctest.Wait()
				release()
				time.Sleep(time.Second)
				if got := b.got("news"); !slices.Equal(got, sent) {
					t.Errorf("received %v, want %v", got, sent)
				}
				if downs := eventsOf[PeerDown](b); len(downs) != 1 {
					t.Errorf("%d PeerDown, want 1", len(downs))
				}
			})
		})
	}
}

// TestRequestFollowsBroadcast requires a request to reach the peer behind the broadcast before it.
func TestRequestFollowsBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		release := a.holdBroadcaster()
		first, second := a.to("", "news", nil), a.to(b.id(), "news", nil)
		a.tellRegistry(&Broadcast{Message: first}, nil)
		a.tellRegistry(&Request{Peer: b.id(), Message: second}, nil)
		synctest.Wait()
		release()
		if got := b.got("news"); !slices.Equal(got, []string{first.ID, second.ID}) {
			t.Errorf("received %v, want %v and %v", got, first.ID, second.ID)
		}
	})
}

// TestBroadcastCountsMovedPeersOnce requires the peers of the moment of the broadcast in its result, each once: also
// those that have a new connection, or none, when it is their turn.
func TestBroadcastCountsMovedPeersOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var nodes []*testNode
		for i := range 5 {
			nodes = append(nodes, startNode(t, n, i+1, withoutLimits))
		}
		a, stays, moves, leaves, comes := nodes[0], nodes[1], nodes[2], nodes[3], nodes[4]
		a.dial(stays)
		first := a.dial(moves)
		a.dial(leaves)
		release := a.holdBroadcaster()
		result := make(chan *Broadcasted, 1)
		a.tellRegistry(&Broadcast{Message: a.to("", "news", nil)}, func(answer any) { result <- answer.(*Broadcasted) })
		synctest.Wait()
		for _, node := range []*testNode{moves, leaves} {
			if err := node.Disconnect(context.Background(), a.id(), false); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if second := a.dial(moves); second == first {
			t.Fatal("the peer has kept its connection")
		}
		a.dial(comes)
		release()
		got := <-result
		if got.Sent != 2 || len(got.Failed) != 1 || got.Failed[0].Peer != leaves.id() ||
			!errors.Is(got.Failed[0].Err, ErrClosed) {
			t.Errorf("sent %d, failed %v", got.Sent, got.Failed)
		}
		for i, want := range []int{1, 1, 0, 0} {
			if count := len(nodes[i+1].got("news")); count != want {
				t.Errorf("node %d received %d broadcasts, want %d", i+1, count, want)
			}
		}
	})
}

// TestBroadcastPanicFailsOnlyIt requires a panic to fail one broadcast, and no message behind it to wait for ever.
func TestBroadcastPanicFailsOnlyIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		a.routes.set("broken", &PeerConnection{peer: Peer{ID: "broken"}}, nil)
		release := a.holdBroadcaster()
		var mu sync.Mutex
		var answers []error
		note := func(answer any) {
			mu.Lock()
			defer mu.Unlock()
			switch answer := answer.(type) {
			case *Broadcasted:
				answers = append(answers, answer.Err)
			case *Sent:
				answers = append(answers, answer.Err)
			}
		}
		a.tellRegistry(&Broadcast{Message: a.to("", "lost", nil)}, note)
		a.tellRegistry(&Send{Peer: b.id(), Message: a.to(b.id(), "news", nil)}, note)
		synctest.Wait()
		a.routes.remove("broken")
		release()
		a.tellRegistry(&Broadcast{Message: a.to("", "news", nil)}, note)
		if got := b.got("news"); len(got) != 2 {
			t.Errorf("%d of 2 messages arrived", len(got))
		}
		mu.Lock()
		defer mu.Unlock()
		if len(answers) != 3 || !errors.Is(answers[0], errInternal) || answers[1] != nil || answers[2] != nil {
			t.Errorf("answers %v", answers)
		}
		a.wantCount(actors.ActorRestarts, 1)
	})
}

// TestStopAnswersWaitingMessages requires each message behind a broadcast to get one answer when the node stops.
func TestStopAnswersWaitingMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startNode(t, memnet.New(1), 1)
		release := a.holdBroadcaster()
		var mu sync.Mutex
		answers := make(map[string]int)
		note := func(answer any) {
			mu.Lock()
			defer mu.Unlock()
			switch answer := answer.(type) {
			case *Broadcasted:
				answers[fmt.Sprintf("%T %v", answer, answer.Err)]++
			case *Sent:
				answers[fmt.Sprintf("%T %v", answer, answer.Err)]++
			}
		}
		for range 2 {
			a.tellRegistry(&Broadcast{Message: a.to("", "news", nil)}, note)
			a.tellRegistry(&Send{Peer: "x", Message: a.to("x", "news", nil)}, note)
		}
		synctest.Wait()
		a.opts.system.Root.Stop(a.PID()) // no graceful stop, so that the messages wait
		synctest.Wait()
		release()
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if want := map[string]int{
			"*supervisor.Broadcasted <nil>": 1, "*supervisor.Broadcasted " + ErrStopped.Error(): 1,
			"*supervisor.Sent " + ErrStopped.Error(): 2,
		}; !maps.Equal(answers, want) {
			t.Errorf("answers %v, want %v", answers, want)
		}
	})
}
