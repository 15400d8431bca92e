package supervisor

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// A panic in the registry fails only the current message.
func TestRegistrySurvivesPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns, s.cfg.MaxConnsPerAddress = 4, -1 })
		var others []*testNode
		for i := range 3 {
			o := startNode(t, n, 2+i)
			o.dial(node)
			others = append(others, o)
		}
		repeated := others[0].to(node.id(), "stats", nil)
		if err := others[0].Send(node.id(), repeated); err != nil {
			t.Fatal(err)
		}
		for range 20 { // above the limit of the actor library's own supervision
			node.tell(&actors.Verified{}) // names no connection
			node.tell(&actors.Alive{})
			node.tell(&actors.Ended{})
		}
		node.wantCount(actors.ActorRestarts, 60)
		node.wantSlots(3, 0)
		for _, o := range others {
			if err := node.Send(o.id(), node.to(o.id(), "logs", nil)); err != nil || len(o.got("logs")) != 1 {
				t.Errorf("a message afterwards: %v", err)
			}
			if len(eventsOf[PeerDown](o)) != 0 {
				t.Error("a connection was lost")
			}
		}
		if err := others[0].Send(node.id(), repeated); err != nil || len(node.got("stats")) != 1 {
			t.Errorf("dedup does not hold: %d handled (%v)", len(node.got("stats")), err)
		}
		startNode(t, n, 8).dial(node)
		if _, err := startNode(t, n, 9).Connect(&Peer{Address: node.addr}); err == nil {
			t.Error("the fifth of four got in: slots are not exact any more")
		}
		node.wantSlots(4, 0)
	})
}

// A panic or runtime.Goexit in the middle of a change of the tables leaves no dead connection in them.
func TestRegistryReconcilesAfterPanic(t *testing.T) {
	for name, fail := range map[string]func(){"panic": func() { panic("clock: injected") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) { registryFailsWhileLeaving(t, fail) })
	}
}

func registryFailsWhileLeaving(t *testing.T, fail func()) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var panics atomic.Bool
		clock := WithClock(func() time.Time {
			if panics.CompareAndSwap(true, false) {
				fail()
			}
			return time.Now()
		})
		node := startNode(t, n, 1, func(s *nodeSetup) { s.options = append(s.options, clock) })
		other := startNode(t, n, 2)
		other.dial(node)
		synctest.Wait()
		panics.Store(true)
		for _, link := range n.Links("10.0.0.1", "10.0.0.2") {
			link.Cut()
		}
		synctest.Wait()
		if node.ConnectedPeers() != 0 || node.GetConnection(other.id()) != nil {
			t.Error("a connection that is gone is still in the directory")
		}
		node.wantSlots(0, 0)
		if err := node.Send(other.id(), node.to(other.id(), "x", nil)); !errors.Is(err, ErrNotConnected) {
			t.Errorf("Send: %v, want ErrNotConnected", err)
		}
		other.dial(node)
		node.wantSlots(1, 0)
	})
}

// A connection's actor that panics ends its connection. The slot is free, and a kept peer is dialled again.
func TestConnectionPanicFreesItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		b := startNode(t, n, 2)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{b.addr} })
		for i := range 5 {
			a.wantSlots(1, 0)
			b.wantSlots(1, 0)
			a.crash(b.id())
			synctest.Wait()
			a.wantSlots(0, 0)
			b.wantSlots(0, 0)
			a.wantCount(actors.ActorRestarts, uint64(i+1))
			time.Sleep(time.Minute)
		}
		if down := eventsOf[PeerDown](a); len(down) != 5 {
			t.Errorf("%d down events, want 5", len(down))
		}
	})
}

// Invalid messages of a program affect no other caller.
func TestSubscribeSurvivesMissingPID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		b.tell(&Subscribe{})
		b.tell(&Unsubscribe{})
		b.tell(&Subscribe{})
		synctest.Wait()
		if err := a.Send(b.id(), a.to(b.id(), "stats", nil)); err != nil || len(b.got("stats")) != 1 {
			t.Errorf("%v; %d handled after somebody has subscribed nobody", err, len(b.got("stats")))
		}
		b.wantCount(actors.HandlerPanics, 0)
	})
}
