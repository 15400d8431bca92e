package p2ptest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/p2ptest"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// sum is the program under test: a handler of messages of the type sum.
func sum(_ *supervisor.PeerConnection, question *wire.Message) (*wire.Message, error) {
	var numbers []int
	if err := question.ParsePayload(&numbers); err != nil {
		return nil, err
	}
	total := 0
	for _, n := range numbers {
		total += n
	}
	return question.Reply("total", total)
}

// Two nodes get twenty faults. Afterwards they reconnect by themselves, and bob gets his answer. The run takes six
// simulated minutes.
func ExampleRun() {
	test := func(t *testing.T) { // func TestSumSurvivesFaults(t *testing.T)
		p2ptest.Run(t, 1, func(s *p2ptest.Simulation) {
			alice := s.Start("alice", p2ptest.Program{Setup: func(n *supervisor.Transport) { n.Handle("sum", sum) }})
			bob := s.Start("bob", p2ptest.Program{Peers: []*p2ptest.Node{alice}})
			for range 20 {
				s.Fault()
				s.Pass(10 * time.Second)
			}
			s.Heal()
			s.Pass(3 * time.Minute)
			question, err := wire.NewMessage("sum", bob.ID(), alice.ID(), []int{1, 2, 3})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := bob.Request(alice.ID(), question)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Println("total", string(answer.Payload))
		})
	}
	runTest(test)
	// Output: total 6
}
