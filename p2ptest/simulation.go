package p2ptest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Simulation is a network of nodes. Only the goroutine that made it may use it and its nodes, unless a method says
// otherwise; programs use the Transport that Program.Setup gets.
type Simulation struct {
	t       testing.TB
	seed    uint64
	random  *rand.Rand
	began   time.Time
	net     *memnet.Network
	system  *actor.ActorSystem
	nodes   []*Node
	blocked map[[2]string]bool // directions, by IP address
	faults  []string           // drawn by Fault
}

// Run runs a simulation in a bubble of virtual time (testing/synctest) and ends it as Close does. If the test fails, it
// logs the seed and the faults that Fault has drawn.
func Run(t *testing.T, seed uint64, program func(s *Simulation)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := New(t, seed)
		defer s.Close()
		program(s)
	})
}

// New returns an empty simulation. It must be called inside a bubble (synctest.Test); Run creates one.
func New(t testing.TB, seed uint64) *Simulation {
	return &Simulation{
		t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 0x70327074657374)), began: time.Now(),
		net: memnet.New(seed), system: actors.NewSystem(),
		blocked: make(map[[2]string]bool),
	}
}

// Close ends all faults and stops all nodes gracefully. Each connection must be closed then: another one is an error of
// the test.
func (s *Simulation) Close() {
	for _, n := range s.nodes {
		n.Thaw()
	}
	clear(s.blocked)
	s.net.Heal()
	for _, n := range s.nodes {
		if err := n.Stop(); err != nil {
			s.t.Errorf("stop %s: %v", n.name, err)
		}
	}
	s.Pass(deadLetters)
	if leaks := s.net.Leaks(); len(leaks) > 0 {
		s.t.Errorf("%d connections are still open: %q", len(leaks), leaks)
	}
	if s.t.Failed() {
		s.t.Logf("seed %d, faults %q", s.seed, s.faults)
	}
}

// deadLetters is the time after which protoactor's throttle of dead letters has ended its goroutine.
const deadLetters = 2 * time.Second

// Random returns the source of the simulation's random choices, for those of the test.
func (s *Simulation) Random() *rand.Rand { return s.random }

// Network returns the in-memory network, for faults beyond the methods of this package. Its hosts are named by
// Node.IP.
func (s *Simulation) Network() *memnet.Network { return s.net }

// ActorSystem returns the actor system that all nodes share, for actors of the test.
func (s *Simulation) ActorSystem() *actor.ActorSystem { return s.system }

// Pass lets virtual time pass, and waits until every goroutine of the bubble is blocked.
func (s *Simulation) Pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Start adds a node and starts it. It fails the test if that is impossible. The identity follows from the name, so that
// node IDs are the same in every run.
func (s *Simulation) Start(name string, program Program) *Node {
	s.t.Helper()
	n, err := s.Add(name, program)
	if err == nil {
		err = n.Start()
	}
	if err != nil {
		s.t.Fatalf("start %s: %v", name, err)
	}
	synctest.Wait()
	return n
}

// Add adds a node that is down until Node.Start.
func (s *Simulation) Add(name string, program Program) (*Node, error) {
	if program.Keys == nil {
		keys, err := identity(name)
		if err != nil {
			return nil, err
		}
		program.Keys = keys
	}
	number := len(s.nodes) + 1
	n := &Node{sim: s, name: name, ip: fmt.Sprintf("10.0.%d.%d", number>>8, number&0xff), program: program}
	s.nodes = append(s.nodes, n)
	return n, nil
}
