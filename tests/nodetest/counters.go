package nodetest

import (
	"context"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// Counter returns the value of one counter. An unknown name fails the test.
func (n *Node) Counter(name string) int {
	n.T.Helper()
	value, known := n.Counters()[name]
	if !known {
		n.T.Fatalf("no counter %q", name)
	}
	return int(value)
}

// AwaitCounter waits until a counter has reached a value, and fails if it has passed it.
func (n *Node) AwaitCounter(name string, value int) {
	n.T.Helper()
	n.Poll("counter "+name, func() bool { return n.Counter(name) >= value })
	if got := n.Counter(name); got != value {
		n.Fatalf("%s is %d, want exactly %d", name, got, value)
	}
}

// Connections returns the node's count of connections.
func (n *Node) Connections() supervisor.ConnectionCounts {
	n.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	status, err := n.Status(ctx)
	must(n.T, err)
	return status.Connections
}

// AwaitConnections waits until the node counts these established and pending connections. It polls, because no event
// announces a free slot.
func (n *Node) AwaitConnections(established, pending int) {
	n.T.Helper()
	n.Poll("connections", func() bool {
		c := n.Connections()
		return c.Established == established && c.Pending == pending
	})
}

// Poll calls ok every 5 ms until it returns true. It is for conditions that no event announces.
func (n *Node) Poll(what string, ok func() bool) {
	n.T.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(Patience); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			n.Fatalf("waited %v for %s; connections %+v, counters %v", Patience, what, n.Connections(), n.Counters())
		}
	}
}

// Fatalf fails the test and shows the node's log.
func (n *Node) Fatalf(format string, args ...any) {
	n.T.Helper()
	n.T.Logf("the node's log:\n%s", n.Log)
	n.T.Fatalf(format, args...)
}

// SendNew sends a new message to a peer and returns it.
func (n *Node) SendNew(peer, typ string, payload any) *wire.Message {
	n.T.Helper()
	msg, err := wire.NewMessage(wire.MessageType(typ), n.ID(), peer, payload)
	must(n.T, err)
	must(n.T, n.Send(peer, msg))
	return msg
}
