package toxiproxy

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/wire"
)

// node is a Transport that records the numbers it receives.
type node struct {
	*nodetest.Node

	mu  sync.Mutex
	got []int
}

// start runs a node with short timeouts until the test ends.
func start(t *testing.T, name string, config func(*supervisor.TransportConfig)) *node {
	t.Helper()
	n := &node{}
	n.Node = nodetest.Start(t, nodetest.Options{
		Name: name,
		Config: func(c *supervisor.TransportConfig) {
			c.RateRefill = 0
			c.PingInterval, c.PongTimeout = time.Second, time.Second
			c.HandshakeTimeout, c.WriteTimeout = 2*time.Second, 2*time.Second
			if config != nil {
				config(c)
			}
		},
		OnMessage: n.onMessage,
	})
	return n
}

func (n *node) onMessage(_ *supervisor.PeerConnection, msg *wire.Message) {
	var number struct{ N int }
	if msg.Type == "number" && json.Unmarshal(msg.Payload, &number) == nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.got = append(n.got, number.N)
	}
}

func (n *node) numbers() []int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.got)
}

// last returns the last number received, -1 if none.
func (n *node) last() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.got) == 0 {
		return -1
	}
	return n.got[len(n.got)-1]
}

func ups(s nodetest.Seen) int   { return nodetest.CountEvents[supervisor.PeerUp](s) }
func downs(s nodetest.Seen) int { return nodetest.CountEvents[supervisor.PeerDown](s) }

// awaitUps waits until the node's peer has come up so many times.
func (n *node) awaitUps(times int) {
	n.T.Helper()
	n.Await("the peer to come up", func(s nodetest.Seen) bool { return ups(s) >= times })
}

// awaitDowns waits until the node's peer has gone down so many times.
func (n *node) awaitDowns(times int) {
	n.T.Helper()
	n.Await("the peer to go down", func(s nodetest.Seen) bool { return downs(s) >= times })
}

// sendNumber sends one numbered message. Without an error the operating system has it.
func (n *node) sendNumber(to *node, number int, fill string) error {
	n.T.Helper()
	msg, err := wire.NewMessage("number", n.ID(), to.ID(), map[string]any{"n": number, "fill": fill})
	must(n.T, err)
	return n.Send(to.ID(), msg)
}

// awaitNumber waits for a number and requires that the numbers rise: each arrived once, in order.
func (n *node) awaitNumber(number int) {
	n.T.Helper()
	n.Await("number", func(nodetest.Seen) bool { return n.last() >= number })
	got := n.numbers()
	for i := 1; i < len(got); i++ {
		if got[i] <= got[i-1] {
			n.T.Fatalf("number %d came after %d", got[i], got[i-1])
		}
	}
}

// requireAll requires the numbers below count, each once and in order.
func (n *node) requireAll(count int) {
	n.T.Helper()
	n.awaitNumber(count - 1)
	if got := len(n.numbers()); got != count {
		n.T.Fatalf("%d numbers arrived, want %d", got, count)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
