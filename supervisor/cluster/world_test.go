package cluster_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/supervisor/cluster/membus"
	"github.com/Snider/go-p2p/supervisor/dedup"
	"github.com/Snider/go-p2p/supervisor/peerbook"
)

// world is a node of several members on an in-memory bus.
type world struct {
	t       *testing.T
	net     *membus.Net
	system  *actor.ActorSystem
	members map[string]*process
	boots   uint64
	log     *slog.Logger // of changes of members; nil: none
}

// process is one member, and the peers that are connected to it.
type process struct {
	name   string
	engine *cluster.Engine
	bus    *membus.Bus
	book   *peerbook.Book

	set  *dedup.Set
	skew time.Duration // of its clock

	mu      sync.Mutex
	peers   map[string]uint64 // terms of granted claims
	open    map[string]bool   // connections, with and without a verdict
	keeps   bool              // refuses the claims of other members
	ended   []string          // connections that a verdict or Taken has closed
	verdict []supervisor.ClaimVerdict

	inbox
}

// inWorld runs a test on virtual time, with members of these names, separated by spaces.
func inWorld(t *testing.T, members string, run func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		w.start(strings.Fields(members)...)
		run(t, w)
	})
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, net: membus.New(seed), members: map[string]*process{}, system: actors.NewSystem(),
	}
	w.net.Delay(time.Millisecond, 3*time.Millisecond)
	t.Cleanup(func() {
		for _, p := range w.members {
			p.engine.Leave()
		}
		w.system.Shutdown()
	})
	return w
}

// start starts members and waits until they have joined.
func (w *world) start(names ...string) {
	w.t.Helper()
	var joining sync.WaitGroup
	for _, name := range names {
		p := w.process(name)
		joining.Go(func() {
			if err := p.engine.Join(context.Background(), p); err != nil {
				w.t.Errorf("%s: %v", name, err)
			}
		})
	}
	joining.Wait()
}

// process makes a member with an empty set of seen messages, which has not joined.
func (w *world) process(name string) *process {
	w.t.Helper()
	p := w.newProcess(name)
	p.newSet(w.t)
	return p
}

func (w *world) newProcess(name string) *process {
	w.boots++
	p := &process{
		name: name, bus: w.net.Bus(name), book: peerbook.New(), peers: map[string]uint64{}, open: map[string]bool{},
	}
	p.engine = cluster.New(p.bus, cluster.Options{
		Name: name, NodeID: "node", Boot: w.boots, System: w.system, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Members: w.log,
	})
	w.members[name] = p
	return p
}

// kill ends a member without a goodbye.
func (w *world) kill(name string) {
	p := w.members[name]
	p.bus.Kill()
	delete(w.members, name)
	p.engine.Leave() // ends its goroutines; the others hear nothing of it
}

// restart kills a member and starts it again at once. joined waits until it has joined.
func (w *world) restart(name string) (joined func()) {
	w.kill(name)
	again, starting := w.process(name), sync.WaitGroup{}
	starting.Go(func() {
		if err := again.engine.Join(context.Background(), again); err != nil {
			w.t.Errorf("%s: %v", name, err)
		}
	})
	return starting.Wait
}

// connect opens the connection of a peer to a member. It waits for the verdict for at most five seconds.
func (p *process) connect(peer string) (supervisor.ClaimVerdict, bool) {
	decided := make(chan supervisor.ClaimVerdict, 1)
	p.mu.Lock()
	p.open[peer] = true
	p.mu.Unlock()
	p.engine.Claim(supervisor.Claim{Peer: peer, Strength: 3, Framed: true}, func(v supervisor.ClaimVerdict) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if v.Granted && !p.open[peer] {
			p.engine.Release(peer, v.Term, -1)
		} else if v.Granted {
			p.peers[peer] = v.Term
		} else {
			delete(p.open, peer)
			p.ended = append(p.ended, peer)
		}
		p.verdict = append(p.verdict, v)
		decided <- v
	})
	select {
	case v := <-decided:
		return v, true
	case <-time.After(5 * time.Second):
		return supervisor.ClaimVerdict{}, false
	}
}

// disconnect ends the connection of a peer.
func (p *process) disconnect(peer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, peer)
	if term, granted := p.peers[peer]; granted {
		delete(p.peers, peer)
		p.engine.Release(peer, term, 3)
	}
}

// Contest implements supervisor.ClusterLocal.
func (p *process) Contest(c supervisor.Claim, decide func(supervisor.ClaimVerdict)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.keeps && p.open[c.Peer] {
		decide(supervisor.ClaimVerdict{Home: p.name})
		return
	}
	if p.open[c.Peer] {
		p.ended = append(p.ended, c.Peer)
	}
	delete(p.open, c.Peer)
	delete(p.peers, c.Peer)
	decide(supervisor.ClaimVerdict{Granted: true, Tokens: 7})
}

// Taken implements supervisor.ClusterLocal.
func (p *process) Taken(peer, _ string, term uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if own, granted := p.peers[peer]; granted && own <= term {
		delete(p.peers, peer)
		delete(p.open, peer)
		p.ended = append(p.ended, peer)
		p.engine.Release(peer, own, -1)
	}
}

// MembersChanged implements supervisor.ClusterLocal.
func (p *process) MembersChanged() {}

// Count implements supervisor.ClusterLocal.
func (p *process) Count(actors.Counter) {}

// Answer implements supervisor.ClusterLocal. It returns the name of the member and the question.
func (p *process) Answer(question []byte, respond func([]byte, error)) {
	respond([]byte(p.engine.Name()+" "+string(question)), nil)
}

// Load implements supervisor.ClusterLocal.
func (p *process) Load() (connections, limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open), 1000
}

// homes returns the home of each of the peers as a member sees it.
func (p *process) homes(peers []string) map[string]string {
	homes := map[string]string{}
	for _, peer := range peers {
		if home, held := p.engine.Home(peer); held {
			homes[peer] = home
		}
	}
	return homes
}

// check compares the directories of all members with the connections that there are: one for each connected peer.
func (w *world) check(peers []string) {
	w.t.Helper()
	want := map[string]string{}
	for name, p := range w.members {
		p.mu.Lock()
		for peer := range p.open {
			if other, twice := want[peer]; twice {
				w.t.Errorf("%s is connected to %s and %s", peer, other, name)
			}
			want[peer] = name
		}
		if len(p.open) != len(p.peers) {
			w.t.Errorf("%s has %d connections, %d of them granted", name, len(p.open), len(p.peers))
		}
		p.mu.Unlock()
	}
	for name, p := range w.members {
		if got := p.homes(peers); !maps.Equal(got, want) {
			w.t.Errorf("directory of %s: %s", name, difference(got, want))
		}
	}
}

func difference(got, want map[string]string) (text string) {
	for _, peer := range slices.Sorted(maps.Keys(got)) {
		if got[peer] != want[peer] {
			text += fmt.Sprintf(" %s at %q, want %q;", peer, got[peer], want[peer])
		}
	}
	for _, peer := range slices.Sorted(maps.Keys(want)) {
		if _, known := got[peer]; !known {
			text += fmt.Sprintf(" %s nowhere, want %q;", peer, want[peer])
		}
	}
	return text
}

func peerNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("peer%05d", i)
	}
	return names
}

// randomStep does one random thing.
func (w *world) randomStep(random *rand.Rand, peers []string, work *sync.WaitGroup) {
	names := slices.Sorted(maps.Keys(w.members))
	a, b := names[random.IntN(len(names))], names[random.IntN(len(names))]
	peer := peers[random.IntN(len(peers))]
	switch n := random.IntN(100); {
	case n < 60:
		p := w.members[a]
		work.Go(func() { p.connect(peer) })
	case n < 85:
		w.members[a].disconnect(peer)
	case n < 92:
		w.net.Cut(a, b, a != b && random.IntN(2) == 0)
	case n < 95:
		w.net.CutBoth(a, b, a != b)
	case n < 97:
		w.net.Lose(float64(random.IntN(3)) / 10)
	case n < 99 && len(names) > 2:
		w.kill(a)
	default:
		name := fmt.Sprintf("m%d", w.boots)
		p := w.process(name)
		work.Go(func() { _ = p.engine.Join(context.Background(), p) })
	}
}
