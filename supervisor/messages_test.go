package supervisor

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// program is an actor of the program that uses a node by messages only.
type program struct {
	mu     sync.Mutex
	seen   []string
	before func()
}

func (p *program) Receive(ctx actor.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch msg := ctx.Message().(type) {
	case Received:
		if p.before != nil {
			p.before()
		}
		if msg.Message.Type == "stats" {
			p.seen = append(p.seen, "stats "+string(msg.Message.Payload))
		}
	case PeerUp:
		p.seen = append(p.seen, "up")
	case PeerDown:
		p.seen = append(p.seen, "down")
	}
}

func (p *program) all() []string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// order sends a message to the registry of a node and returns its answer.
func order[T any](t *testing.T, n *testNode, message any) T {
	t.Helper()
	result, err := n.opts.system.Root.RequestFuture(n.PID(), message, time.Minute).Result()
	if err != nil {
		t.Fatalf("%T: %v", message, err)
	}
	answer, ok := result.(T)
	if !ok {
		t.Fatalf("%T was answered with %T", message, result)
	}
	return answer
}

// All operations by message, in the caller's own actor system.
func TestMessagesDriveTheTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		system := actors.NewSystem()
		a := startNode(t, n, 1, func(s *nodeSetup) { s.options = []Option{WithActorSystem(system)} })
		b := startNode(t, n, 2, func(s *nodeSetup) { s.options = []Option{WithActorSystem(system)} })
		watcher := &program{}
		pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return watcher }))
		order[*Subscribed](t, b, &Subscribe{PID: pid})

		connected := order[*Connected](t, a, &Connect{Address: b.addr, ID: b.id()})
		if connected.Err != nil || connected.Connection.Peer().ID != b.id() {
			t.Fatalf("connected: %+v", connected)
		}
		synctest.Wait()
		for i := range 3 {
			if sent := order[*Sent](t, a, &Send{Peer: b.id(), Message: a.to(b.id(), "stats", i)}); sent.Err != nil {
				t.Error(sent.Err)
			}
		}
		cast := order[*Broadcasted](t, a, &Broadcast{Message: a.to("", "stats", "all")})
		if cast.Sent != 1 || cast.Err != nil || len(cast.Failed) != 0 {
			t.Errorf("broadcast: %+v", cast)
		}
		sent := order[*Sent](t, a, &Send{Peer: "nobody", Message: a.to("", "x", nil)})
		if !errors.Is(sent.Err, ErrNotConnected) {
			t.Errorf("to nobody: %v", sent.Err)
		}
		gone := order[*Disconnected](t, a, &Disconnect{Peer: b.id(), Code: wire.DisconnectNormal, Reason: "enough"})
		if gone.Err != nil {
			t.Error(gone.Err)
		}
		if gone := order[*Disconnected](t, a, &Disconnect{Peer: "nobody"}); !errors.Is(gone.Err, ErrNotConnected) {
			t.Errorf("disconnecting nobody: %v", gone.Err)
		}
		want := `[up stats 0 stats 1 stats 2 stats "all" down]`
		if got := fmt.Sprint(watcher.all()); got != want {
			t.Errorf("the subscriber saw %v, want %v", got, want)
		}
		system.Root.Send(b.PID(), &Unsubscribe{PID: pid})
		a.dial(b)
		if got := fmt.Sprint(watcher.all()); got != want {
			t.Errorf("after Unsubscribe it saw %v", got)
		}
	})
}

// A subscriber that stops is removed. A slow subscriber slows down the connection, so its mailbox stays bounded.
func TestSubscribersStayBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1, unlimited), startNode(t, n, 2, unlimited)
		release := make(chan struct{})
		slow := &program{before: func() { <-release }}
		gone := &program{}
		root := b.opts.system.Root
		slowPID := root.Spawn(actor.PropsFromProducer(func() actor.Actor { return slow }))
		gonePID := root.Spawn(actor.PropsFromProducer(func() actor.Actor { return gone }))
		order[*Subscribed](t, b, &Subscribe{PID: slowPID})
		order[*Subscribed](t, b, &Subscribe{PID: gonePID})
		_ = root.StopFuture(gonePID).Wait()
		synctest.Wait()
		if b.bus.has(gonePID) || !b.bus.has(slowPID) {
			t.Error("a stopped subscriber is still one, or a living one is not")
		}
		a.dial(b)
		for i := range 500 {
			if err := a.Send(b.id(), a.to(b.id(), "stats", i)); err != nil {
				t.Fatal(err)
			}
		}
		if k := len(b.got("stats")); k > 2*fenceEvery {
			t.Errorf("%d messages passed a subscriber that has taken none, want %d at most", k, 2*fenceEvery)
		}
		close(release)
		time.Sleep(5 * time.Second)
		if k := len(slow.all()); k != 501 {
			t.Errorf("the subscriber saw %d events in the end, want 501", k)
		}
	})
}
