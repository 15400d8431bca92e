package supervisor

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// Each connection is in the tree from its admission to its end, and each panic is counted at its actor.
func TestTreeListsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		n := memnet.New(1)
		a, b, c := startNode(t, n, 1), startNode(t, n, 2), startNode(t, n, 3)
		a.dial(b)
		time.Sleep(time.Second)
		c.dial(a)
		mute, err := n.Attach("10.0.0.9").DialContext(ctx, "tcp", a.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer mute.Close()
		upgrade := "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
		time.Sleep(time.Second)
		if _, err := mute.Write([]byte(upgrade)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		tree, err := a.Tree(ctx, 10)
		if err != nil || tree.Total != 3 || len(tree.Connections) != 3 || tree.Registry == "" ||
			tree.Restarts+tree.Stopped != 0 {
			t.Fatalf("%+v, %v", tree, err)
		}
		for i, want := range []ConnectionActor{
			{Peer: b.id(), Name: "node2", Direction: Outbound, State: ConnectionVerified, Route: true},
			{Peer: c.id(), Name: "node3", Direction: Inbound, State: ConnectionVerified, Route: true},
			{Direction: Inbound, State: ConnectionPending},
		} {
			got := tree.Connections[i]
			if got.Actor == "" || got.Since.IsZero() {
				t.Errorf("connection %d: %+v", i, got)
			}
			got.Actor, got.Since = "", time.Time{}
			if got != want {
				t.Errorf("connection %d is %+v, want %+v", i, got, want)
			}
		}
		a.crash(b.id())
		a.tell(&actors.Verified{}) // names no connection: the registry panics
		synctest.Wait()
		tree, err = a.Tree(ctx, 1)
		if err != nil || tree.Total != 2 || len(tree.Connections) != 1 || tree.Connections[0].Peer != c.id() ||
			tree.Restarts != 1 || tree.Stopped != 1 {
			t.Errorf("after two panics: %+v, %v", tree, err)
		}
		if err := a.StopContext(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Tree(ctx, 1); !errors.Is(err, ErrStopped) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A node is accepting while peers can connect, even if all slots are taken.
func TestAcceptingFollowsTheListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns = 1 })
		b := startNode(t, n, 2)
		b.dial(a)
		if !a.Accepting() || len(a.Connected()) != 1 || a.Connected()[0].ID != b.id() || a.KnownPeers() != 1 {
			t.Errorf("accepting %v, connected %v", a.Accepting(), a.Connected())
		}
		if err := a.Stop(); err != nil {
			t.Fatal(err)
		}
		if a.Accepting() {
			t.Error("a node that has stopped says that it accepts peers")
		}
	})
}

// TestAcceptingEndsWithTheRegistry: the program's actor system stops the registry while the listener still runs.
func TestAcceptingEndsWithTheRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := actors.NewSystem()
		a := startNode(t, memnet.New(1), 1, func(s *nodeSetup) { s.options = []Option{WithActorSystem(system)} })
		if !a.Accepting() {
			t.Error("a running node accepts no peers")
		}
		if err := system.Root.StopFuture(a.PID()).Wait(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if a.Accepting() {
			t.Error("a node whose registry has stopped says that it accepts peers")
		}
	})
}

// stopwatch is an Observer that records the durations.
type stopwatch struct {
	mu                     sync.Mutex
	trips, shakes, handled []time.Duration
}

func (s *stopwatch) add(list *[]time.Duration, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*list = append(*list, d)
}

func (s *stopwatch) RoundTrip(d time.Duration) { s.add(&s.trips, d) }
func (s *stopwatch) Handshake(d time.Duration) { s.add(&s.shakes, d) }
func (s *stopwatch) Handler(d time.Duration)   { s.add(&s.handled, d) }

// An observer gets each duration exactly once, also that of a handler that panics.
func TestObserverGetsEachDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var seen stopwatch
		a := startNode(t, n, 1)
		b := startNode(t, n, 2, func(s *nodeSetup) {
			s.options = append(s.options, WithObserver(&seen))
			s.handler = func(_ *PeerConnection, msg *wire.Message) {
				switch msg.Type {
				case "slow":
					time.Sleep(3 * time.Second)
				case "panic":
					time.Sleep(time.Second)
					panic("handler: injected")
				}
			}
		})
		a.dial(b)
		for _, kind := range []wire.MessageType{"panic", "slow"} {
			if err := a.Send(b.id(), a.to(b.id(), kind, nil)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(31 * time.Second) // more than a ping interval
		seen.mu.Lock()
		defer seen.mu.Unlock()
		if len(seen.shakes) != 1 || len(seen.trips) != 2 {
			t.Errorf("handshakes %v, round trips %v: want one, and two: at the opening and after an interval",
				seen.shakes, seen.trips)
		}
		var took time.Duration
		for _, d := range seen.handled {
			took += d
		}
		if took != 4*time.Second || len(seen.handled) < 4 { // the opening ping and pong included
			t.Errorf("handlers took %v", seen.handled)
		}
	})
}
