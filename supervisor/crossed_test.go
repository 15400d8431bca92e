package supervisor

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// Two nodes dial each other over a long path and exchange messages meanwhile. One connection remains, every message
// whose Send returned nil arrives exactly once, and no PeerDown is published.
func TestCrossedDialsLoseNothing(t *testing.T) {
	for _, latency := range []time.Duration{
		0, 100 * time.Millisecond, 600 * time.Millisecond, 1100 * time.Millisecond, 1600 * time.Millisecond, 4 * time.Second,
	} {
		t.Run(latency.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := memnet.New(1)
				small, large := sortedPair(t, n, func(s *nodeSetup) { s.cfg.HandshakeTimeout = time.Minute })
				n.SetLatency("10.0.0.1", "10.0.0.2", latency)
				n.SetLatency("10.0.0.2", "10.0.0.1", latency)
				sent := map[*testNode][]string{small: nil, large: nil} // by the receiver
				var mu sync.Mutex
				var both sync.WaitGroup
				for from, to := range map[*testNode]*testNode{small: large, large: small} {
					both.Go(func() {
						if _, err := from.Connect(&Peer{Address: to.addr, ID: to.id()}); err != nil {
							t.Error(err)
						}
						for range 600 {
							msg := from.to(to.id(), "chat", nil)
							if from.Send(to.id(), msg) == nil {
								mu.Lock()
								sent[to] = append(sent[to], msg.ID)
								mu.Unlock()
							}
							time.Sleep(25 * time.Millisecond) // 40 per second
						}
					})
				}
				both.Wait()
				time.Sleep(time.Minute)
				for at, want := range sent {
					got := at.got("chat")
					slices.Sort(got)
					slices.Sort(want)
					if len(want) < 500 || !slices.Equal(got, want) {
						t.Errorf("%s got %d messages of %d", at.Identity().Name, len(got), len(want))
					}
					if down := eventsOf[PeerDown](at); len(down) != 0 {
						t.Errorf("down: %+v", down)
					}
					at.wantSlots(1, 0)
					at.wantCount(actors.MessagesAfterGoodbye, 0)
				}
				if latency > 0 && small.count(actors.HandshakesAccepted) != 2 {
					t.Error("only one connection was opened: nothing was tested")
				}
			})
		})
	}
}

// The old connection of a peer is dead without a sign of it; the peer returns from another address. While the old one
// is probed, messages go out on both, so none is lost. Then the new one becomes the route, with an event.
func TestReturningPeerLosesNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub := startNode(t, n, 1)
		old := startNode(t, n, 2)
		same := func(s *nodeSetup) { s.keys = old.keys }
		old.dial(hub)
		old.host.Crash(true) // without a disconnect message
		time.Sleep(15 * time.Second)
		back := startNode(t, n, 3, same)
		back.dial(hub)
		var want []string
		for range 100 {
			msg := hub.to(back.id(), wire.MessageType("chat"), nil)
			if err := hub.Send(back.id(), msg); err != nil {
				t.Fatal(err)
			}
			want = append(want, msg.ID)
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(time.Second)
		if got := back.got("chat"); !slices.Equal(got, want) {
			t.Errorf("%d messages of %d arrived", len(got), len(want))
		}
		moved := eventsOf[PeerMoved](hub)
		if len(moved) != 1 || moved[0].From != 1 || moved[0].To != 2 || len(eventsOf[PeerDown](hub)) != 0 {
			t.Errorf("moved %+v, down %+v; want one move and no end", moved, eventsOf[PeerDown](hub))
		}
		hub.wantSlots(1, 0)
	})
}
