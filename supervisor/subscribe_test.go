package supervisor

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// roster is an actor that keeps the set of connected peers, and records every event that does not fit the set.
type roster struct {
	registry *actor.PID

	mu     sync.Mutex
	peers  map[string]PeerUp // nil: no answer yet
	events []string
	faults []string
}

type again struct{}

func (r *roster) Receive(ctx actor.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := ctx.Message().(type) {
	case *actor.Started, again:
		ctx.Request(r.registry, &Subscribe{PID: ctx.Self()})
	case *Subscribed:
		r.replace(e)
	case Received:
		r.check(r.peers != nil, "a message came before the answer")
	case PeerUp:
		_, known := r.peers[e.Peer]
		r.check(r.peers != nil && !known, "PeerUp of a known peer")
		r.set(e.Peer, &e)
	case PeerVerified:
		up, known := r.peers[e.Peer]
		r.check(known, "PeerVerified of an unknown peer")
		up.Verified = true
		r.set(e.Peer, &up)
	case PeerDown:
		_, known := r.peers[e.Peer]
		r.check(known, "PeerDown of an unknown peer")
		r.set(e.Peer, nil)
	}
}

func (r *roster) check(ok bool, fault string) {
	if !ok {
		r.faults = append(r.faults, fault)
	}
}

func (r *roster) set(peer string, up *PeerUp) {
	if up == nil {
		delete(r.peers, peer)
		r.events = append(r.events, "down")
		return
	}
	if r.peers != nil {
		r.peers[peer] = *up
	}
	r.events = append(r.events, fmt.Sprint("up ", up.Connection))
}

// replace takes over the answer. The set before, if any, must be the same: the earlier subscription had no gap.
func (r *roster) replace(answer *Subscribed) {
	before := r.peers
	r.peers = make(map[string]PeerUp)
	for _, up := range answer.Connected {
		r.peers[up.Peer] = up
	}
	same := len(before) == len(r.peers)
	for id, up := range r.peers {
		same = same && before[id].Verified == up.Verified
	}
	r.check(before == nil || same,
		fmt.Sprintf("the answer has %d peers, the set before had %d", len(r.peers), len(before)))
}

func (n *testNode) spawnRoster() (*roster, *actor.PID) {
	r := &roster{registry: n.PID()}
	return r, n.opts.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return r }))
}

// state returns the connections in the set, the events since the answer, and the faults.
func (r *roster) state() string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	var set []uint64
	for _, up := range r.peers {
		set = append(set, up.Connection)
	}
	slices.Sort(set)
	return fmt.Sprint(set, r.events, r.faults)
}

// A handler blocks the inbox of a connection that ends: its PeerDown waits there. A subscriber that comes then learns
// of the peer as connected. The next PeerUp of the peer takes the PeerDown along.
func TestSubscribedFitsTheEventsAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		release := make(chan struct{})
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		b.Handle("block", func(*PeerConnection, *wire.Message) (*wire.Message, error) { <-release; return nil, nil })
		first, _ := b.spawnRoster()
		c := a.dial(b)
		if err := a.Send(b.id(), a.to(b.id(), "block", nil)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_ = c.GracefulClose("enough", wire.DisconnectNormal)
		time.Sleep(time.Second)
		second, _ := b.spawnRoster()
		if got := first.state() + second.state(); got != "[1] [up 1 up 1] [][1] [] []" {
			t.Errorf("with a PeerDown in the inbox: %s", got)
		}
		a.dial(b)
		third, _ := b.spawnRoster()
		before := first.state() + second.state() + third.state()
		if before != "[2] [up 1 up 1 down up 2 up 2] [][2] [down up 2 up 2] [][2] [] []" {
			t.Errorf("after the next PeerUp: %s", before)
		}
		if ups, downs := len(eventsOf[PeerUp](b)), len(eventsOf[PeerDown](b)); ups != 2 || downs != 1 {
			t.Errorf("OnEvent got %d PeerUp and %d PeerDown, want 2 and 1", ups, downs)
		}
		close(release)
		if after := first.state() + second.state() + third.state(); after != before {
			t.Errorf("the released PeerDown changed %s to %s", before, after)
		}
		if n := len(b.bus.announced.peers); n != 1 {
			t.Errorf("%d peers are stored, want 1", n)
		}
		if err := a.GetConnection(b.id()).GracefulClose("enough", wire.DisconnectNormal); err != nil {
			t.Fatal(err)
		}
		if third.state() != "[] [down] []" || len(b.bus.announced.peers) != 0 {
			t.Errorf("after the end: %s, %d peers stored", third.state(), len(b.bus.announced.peers))
		}
	})
}

// Once the events of a peer are published, its entry retains no event and no connection.
func TestPublishedEventsAreNotRetained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		a.dial(b)
		synctest.Wait()
		p := b.bus.announced.peers[a.id()]
		if p == nil || !p.known {
			t.Fatal("PeerUp is not published")
		}
		if p.waiting != nil {
			t.Errorf("an array for %d events is retained", cap(p.waiting))
		}
	})
}

// Subscribers come and subscribe again while peers connect and disconnect: no event is missing and none comes twice.
func TestSubscribersMissNoPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		hub := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConnsPerAddress = -1 })
		var peers []*testNode
		for i := range 6 {
			peers = append(peers, startNode(t, n, i+2))
		}
		var work sync.WaitGroup
		for i, p := range peers {
			work.Go(func() {
				for round := range 20 {
					c, err := p.Connect(&Peer{Address: hub.addr, ID: hub.id()})
					if err != nil {
						t.Error(err)
						return
					}
					_ = p.Send(hub.id(), p.to(hub.id(), "stats", round))
					time.Sleep(time.Duration(10+i) * time.Millisecond)
					if i != 0 || round < 19 { // one peer stays
						_ = c.GracefulClose("enough", wire.DisconnectNormal)
						<-c.handle.Done()
					}
				}
			})
		}
		var rosters []*roster
		for range 20 {
			time.Sleep(15 * time.Millisecond)
			for range 5 {
				r, pid := hub.spawnRoster()
				rosters = append(rosters, r)
				work.Go(func() {
					for range 10 {
						time.Sleep(7 * time.Millisecond)
						hub.opts.system.Root.Send(pid, again{})
					}
				})
			}
		}
		work.Wait()
		time.Sleep(time.Second)
		events := 0
		for i, r := range rosters {
			r.state()
			_, stays := r.peers[peers[0].id()]
			if len(r.faults) > 0 || len(r.peers) != 1 || !stays {
				t.Fatalf("subscriber %d: %d peers in the end, want 1; faults %q", i, len(r.peers), r.faults)
			}
			events += len(r.events)
		}
		if events == 0 {
			t.Error("no subscriber got an event")
		}
	})
}
