package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// testNode is a complete node on an in-memory network, with its received messages and events.
type testNode struct {
	*Transport
	t      *testing.T
	keys   *crypto.NodeManager
	book   *PeerRegistry
	host   *memnet.Host
	addr   string
	faults Faults

	mu       sync.Mutex
	messages []*wire.Message
	events   []Event
	handler  func(*PeerConnection, *wire.Message)
}

// nodeSetup holds the parameters of a node before it starts.
type nodeSetup struct {
	cfg     TransportConfig
	keys    *crypto.NodeManager
	book    *PeerRegistry
	options []Option
	handler func(*PeerConnection, *wire.Message)
}

// startNode starts a node at 10.0.0.<number>, inside a bubble. Other tests use the package tests/nodetest, which
// internal tests of this package cannot import, because it imports supervisor.
func startNode(t *testing.T, n *memnet.Network, number int, changes ...func(*nodeSetup)) *testNode {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager(fmt.Sprint("node", number), crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	s := &nodeSetup{cfg: DefaultTransportConfig(), keys: keys, book: NewPeerRegistry()}
	for _, change := range changes {
		change(s)
	}
	ip := fmt.Sprint("10.0.0.", number)
	host := n.Attach(ip)
	ln, err := host.Listen(9091)
	if err != nil {
		t.Fatal(err)
	}
	node := &testNode{t: t, keys: s.keys, book: s.book, host: host, addr: ip + ":9091", handler: s.handler}
	options := append([]Option{
		WithListener(ln), WithDialer(host.DialContext), WithLogger(slog.New(slog.DiscardHandler)), WithFaults(&node.faults),
	}, s.options...)
	if node.Transport, err = NewTransport(s.keys, s.book, s.cfg, options...); err != nil {
		t.Fatal(err)
	}
	node.OnMessage(node.onMessage)
	for _, own := range []wire.MessageType{wire.MsgPing, wire.MsgPong, wire.MsgDisconnect} {
		node.Handle(own, func(c *PeerConnection, msg *wire.Message) (*wire.Message, error) {
			node.onMessage(c, msg)
			return nil, nil
		})
	}
	node.OnEvent(node.onEvent)
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.stop)
	synctest.Wait()
	return node
}

// crash makes the actor of the connection to a peer panic.
func (n *testNode) crash(peer string) {
	n.t.Helper()
	if err := n.faults.Crash(n.GetConnection(peer)); err != nil {
		n.t.Fatal(err)
	}
}

func (n *testNode) onMessage(c *PeerConnection, msg *wire.Message) {
	n.mu.Lock()
	n.messages = append(n.messages, msg)
	handler := n.handler
	n.mu.Unlock()
	if handler != nil {
		handler(c, msg)
	}
}

func (n *testNode) onEvent(e Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
}

// stop stops the node. The bubble fails if a goroutine is left.
func (n *testNode) stop() {
	if err := n.Stop(); err != nil {
		n.t.Error(err)
	}
	time.Sleep(2 * time.Second) // the dead-letter throttle of the actor library
}

func (n *testNode) id() string { return n.Identity().ID }

// got returns the ids of the messages of one type that the handler has received.
func (n *testNode) got(kind wire.MessageType) (ids []string) {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, msg := range n.messages {
		if msg.Type == kind {
			ids = append(ids, msg.ID)
		}
	}
	return ids
}

func (n *testNode) seen() []Event {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.events)
}

// eventsOf returns the events of one kind.
func eventsOf[T Event](n *testNode) (of []T) {
	for _, e := range n.seen() {
		if match, ok := e.(T); ok {
			of = append(of, match)
		}
	}
	return of
}

// to makes a message for another node.
func (n *testNode) to(peerID string, kind wire.MessageType, payload any) *wire.Message {
	msg, err := wire.NewMessage(kind, n.id(), peerID, payload)
	if err != nil {
		n.t.Error(err)
	}
	return msg
}

// dial connects to another node and fails the test after an error.
func (n *testNode) dial(other *testNode) *PeerConnection {
	n.t.Helper()
	c, err := n.Connect(&Peer{Address: other.addr, ID: other.id()})
	if err != nil {
		n.t.Fatal(err)
	}
	synctest.Wait()
	return c
}

// slotCounts returns the established and pending connections, as counted by the registry.
func (n *testNode) slotCounts() (established, pending int) {
	n.t.Helper()
	synctest.Wait()
	status, err := n.Status(context.Background())
	if err != nil {
		n.t.Fatal(err)
	}
	return status.Connections.Established, status.Connections.Pending
}

func (n *testNode) wantSlots(established, pending int) {
	n.t.Helper()
	if e, p := n.slotCounts(); e != established || p != pending {
		n.t.Errorf("%d established and %d pending, want %d and %d", e, p, established, pending)
	}
}

func (n *testNode) count(name actors.Counter) uint64 {
	synctest.Wait()
	return n.node.Counters.Get(name)
}

func (n *testNode) wantCount(name actors.Counter, want uint64) {
	n.t.Helper()
	if got := n.count(name); got != want {
		n.t.Errorf("%v = %d, want %d", name, got, want)
	}
}

// sortedPair starts two nodes of which the first has the smaller ID.
func sortedPair(t *testing.T, n *memnet.Network, changes ...func(*nodeSetup)) (small, large *testNode) {
	t.Helper()
	one, err := crypto.NewEphemeralNodeManager("one", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	two, err := crypto.NewEphemeralNodeManager("two", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	if two.Identity().ID < one.Identity().ID {
		one, two = two, one
	}
	with := func(keys *crypto.NodeManager) []func(*nodeSetup) {
		return append([]func(*nodeSetup){func(s *nodeSetup) { s.keys = keys }}, changes...)
	}
	return startNode(t, n, 1, with(one)...), startNode(t, n, 2, with(two)...)
}
