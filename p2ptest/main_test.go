package p2ptest_test

import (
	"flag"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/p2ptest"
	"github.com/Snider/go-p2p/supervisor"
)

// runTest runs a test function inside an example, which has no testing.T: once, and without lines about its progress,
// which would be output of the example.
func runTest(test func(t *testing.T)) {
	for _, f := range []struct{ name, value string }{{"test.v", "false"}, {"test.count", "1"}} {
		before := flag.Lookup(f.name).Value.String()
		defer flag.Set(f.name, before)
		if err := flag.Set(f.name, f.value); err != nil {
			panic(err)
		}
	}
	every := func(string, string) (bool, error) { return true, nil }
	testing.RunTests(every, []testing.InternalTest{{Name: "Example", F: test}})
}

// events records the events of a node across its starts. Handlers of several connections write at once.
type events struct {
	mu  sync.Mutex
	all []supervisor.Event
}

func (e *events) setup(n *supervisor.Transport) {
	n.OnEvent(func(event supervisor.Event) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.all = append(e.all, event)
	})
}

// downs returns the ends of the peer's connections so far.
func (e *events) downs() (all []supervisor.PeerDown) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.all {
		if down, is := event.(supervisor.PeerDown); is {
			all = append(all, down)
		}
	}
	return all
}

// pair starts alice, and bob, who stays connected to her, and returns bob's events.
func pair(s *p2ptest.Simulation) (alice, bob *p2ptest.Node, seen *events) {
	seen = &events{}
	alice = s.Start("alice", p2ptest.Program{})
	bob = s.Start("bob", p2ptest.Program{Setup: seen.setup, Peers: []*p2ptest.Node{alice}})
	s.Pass(0)
	return alice, bob, seen
}
