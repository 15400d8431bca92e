package nodetest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// Node is a Transport in this process. Its messages, events and log are recorded until the end of the test. All methods
// that wait fail the test after Patience.
type Node struct {
	*supervisor.Transport
	T      *testing.T
	Keys   *crypto.NodeManager
	Book   *supervisor.PeerRegistry
	Log    *Log
	Faults supervisor.Faults

	mu   sync.Mutex
	seen Seen
	more chan struct{} // closed and replaced with every event and message
}

// Seen is the record of a node, in order.
type Seen struct {
	Events   []supervisor.Event
	Messages []Received
}

// Received is a message and the peer that delivered it.
type Received struct {
	Peer string // node ID
	*wire.Message
}

// Start runs a node until the test ends. Handlers of the options run before the message or event is recorded.
func Start(t *testing.T, o Options) *Node {
	t.Helper()
	must(t, o.fill())
	n := &Node{T: t, Keys: o.Keys, Book: o.Book, Log: newLog(), more: make(chan struct{})}
	o.Options = append([]supervisor.Option{
		supervisor.WithLogger(slog.New(n.Log)), supervisor.WithFaults(&n.Faults),
	}, o.Options...)
	onMessage, onEvent := o.OnMessage, o.OnEvent
	o.OnMessage = func(c *supervisor.PeerConnection, msg *wire.Message) {
		if onMessage != nil {
			onMessage(c, msg)
		}
		n.note(func() { n.seen.Messages = append(n.seen.Messages, Received{c.Peer().ID, msg}) })
	}
	o.OnEvent = func(e supervisor.Event) {
		if onEvent != nil {
			onEvent(e)
		}
		n.note(func() { n.seen.Events = append(n.seen.Events, e) })
	}
	var err error
	n.Transport, err = New(o)
	must(t, err)
	t.Cleanup(n.end)
	return n
}

func (n *Node) end() {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := n.StopContext(ctx); err != nil {
		n.T.Errorf("stop: %v", err)
	}
}

// ID returns the node ID.
func (n *Node) ID() string { return n.Identity().ID }

func (n *Node) note(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
	close(n.more)
	n.more = make(chan struct{})
}

// Seen returns a copy of the record so far.
func (n *Node) Seen() Seen {
	n.mu.Lock()
	defer n.mu.Unlock()
	return Seen{slices.Clone(n.seen.Events), slices.Clone(n.seen.Messages)}
}

// Await waits until the record satisfies a condition, which is called with the record locked.
func (n *Node) Await(what string, ok func(Seen) bool) {
	n.T.Helper()
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	for {
		n.mu.Lock()
		done, more := ok(n.seen), n.more
		n.mu.Unlock()
		if done {
			return
		}
		select {
		case <-more:
		case <-timeout.C:
			n.Fatalf("waited %v for %s", Patience, what)
		}
	}
}

// AwaitMessage waits for the message with an ID.
func (n *Node) AwaitMessage(id string) (found Received) {
	n.T.Helper()
	n.Await("message "+id, func(s Seen) bool {
		i := slices.IndexFunc(s.Messages, func(m Received) bool { return m.ID == id })
		if i >= 0 {
			found = s.Messages[i]
		}
		return i >= 0
	})
	return found
}

// AwaitEvent returns the first event of a type that satisfies a condition, past or future.
func AwaitEvent[E supervisor.Event](n *Node, what string, ok func(E) bool) (found E) {
	n.T.Helper()
	n.Await(what, func(s Seen) bool {
		for _, e := range s.Events {
			if e, is := e.(E); is && ok(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// AwaitDown waits until a peer is down.
func (n *Node) AwaitDown(peer string) supervisor.PeerDown {
	n.T.Helper()
	return AwaitEvent(n, "the end of "+peer, func(e supervisor.PeerDown) bool { return e.Peer == peer })
}

// CountEvents returns the number of events of a type in a record.
func CountEvents[E supervisor.Event](s Seen) (found int) {
	for _, e := range s.Events {
		if _, is := e.(E); is {
			found++
		}
	}
	return found
}

// CountMessages returns the number of messages that satisfy a condition so far.
func (n *Node) CountMessages(ok func(Received) bool) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := 0
	for _, m := range n.seen.Messages {
		if ok(m) {
			found++
		}
	}
	return found
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
