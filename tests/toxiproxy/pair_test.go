package toxiproxy

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// patience is how long a test waits for one event. It is only met by something that never happens.
const patience = 30 * time.Second

// node is a Transport whose messages and events are kept.
type node struct {
	*supervisor.Transport
	t *testing.T

	mu     sync.Mutex
	got    []int
	events []supervisor.Event
	more   chan struct{}
}

// start runs a node until the test ends.
func start(t *testing.T, name string, config func(*supervisor.TransportConfig)) *node {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager(name, crypto.RoleDual)
	must(t, err)
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = "127.0.0.1:0"
	cfg.RateRefill = 0
	cfg.PingInterval, cfg.PongTimeout = time.Second, time.Second
	cfg.HandshakeTimeout, cfg.WriteTimeout = 2*time.Second, 2*time.Second
	if config != nil {
		config(&cfg)
	}
	n := &node{t: t, more: make(chan struct{})}
	n.Transport, err = supervisor.NewTransport(keys, supervisor.NewPeerRegistry(), cfg, supervisor.WithLogger(slog.New(slog.DiscardHandler)))
	must(t, err)
	n.OnMessage(n.onMessage)
	n.OnEvent(func(e supervisor.Event) { n.note(func() { n.events = append(n.events, e) }) })
	must(t, n.Start())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.StopContext(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return n
}

func (n *node) onMessage(_ *supervisor.PeerConnection, msg *wire.Message) {
	var number struct{ N int }
	if msg.Type == "number" && json.Unmarshal(msg.Payload, &number) == nil {
		n.note(func() { n.got = append(n.got, number.N) })
	}
}

func (n *node) note(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
	close(n.more)
	n.more = make(chan struct{})
}

// await waits until what the node has seen satisfies a condition, which is asked with the lock held.
func (n *node) await(what string, ok func() bool) {
	n.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		n.mu.Lock()
		done, more := ok(), n.more
		n.mu.Unlock()
		if done {
			return
		}
		select {
		case <-more:
		case <-timeout.C:
			n.t.Fatalf("waited %v for %s; events %+v", patience, what, n.events)
		}
	}
}

// count is how many events of a type there are so far. n.mu is held.
func count[E supervisor.Event](n *node) (found int) {
	for _, e := range n.events {
		if _, is := e.(E); is {
			found++
		}
	}
	return found
}

// awaitUps waits until the node's peer has come up so often.
func (n *node) awaitUps(times int) {
	n.t.Helper()
	n.await("the peer to come up", func() bool { return count[supervisor.PeerUp](n) >= times })
}

// awaitDowns waits until it has gone down so often.
func (n *node) awaitDowns(times int) {
	n.t.Helper()
	n.await("the peer to go down", func() bool { return count[supervisor.PeerDown](n) >= times })
}

// sendNumber sends one numbered message. Without an error the operating system has it.
func (n *node) sendNumber(to *node, number int, fill string) error {
	n.t.Helper()
	msg, err := wire.NewMessage("number", n.Identity().ID, to.Identity().ID, map[string]any{"n": number, "fill": fill})
	must(n.t, err)
	return n.Send(to.Identity().ID, msg)
}

// awaitNumber waits for a number and requires that all before it are in order, and none came twice.
func (n *node) awaitNumber(number int) {
	n.t.Helper()
	n.await("number", func() bool { return len(n.got) > 0 && n.got[len(n.got)-1] >= number })
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := 1; i < len(n.got); i++ {
		if n.got[i] <= n.got[i-1] {
			n.t.Fatalf("number %d came after %d", n.got[i], n.got[i-1])
		}
	}
}

// requireAll requires the numbers below count, each once and in order.
func (n *node) requireAll(count int) {
	n.t.Helper()
	n.awaitNumber(count - 1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.got) != count {
		n.t.Fatalf("%d numbers arrived, want %d", len(n.got), count)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
