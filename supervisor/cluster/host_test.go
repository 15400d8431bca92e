package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/supervisor/cluster"
	"github.com/Snider/go-p2p/supervisor/cluster/membus"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// host is one process: a member or a peer.
type host struct {
	*supervisor.Transport

	mesh   *mesh
	name   string
	ip     string
	net    *memnet.Host
	book   *supervisor.PeerRegistry
	engine *cluster.Engine // nil: a peer
	bus    *membus.Bus
	up     bool
	skew   time.Duration // of its clock
	starts int

	mu       sync.Mutex
	events   []supervisor.Event
	received []string // payloads of the messages of type "test"
	at       []time.Time
	by       []int       // starts that have received them
	downs    []time.Time // ends of routes
}

func (h *host) address() string { return fmt.Sprintf("%s:%d", h.ip, port) }

func (h *host) start(
	keys *crypto.NodeManager, changes []func(*supervisor.TransportConfig), more ...supervisor.Option,
) {
	h.mesh.t.Helper()
	h.net = h.mesh.net.Attach(h.ip)
	listener, err := h.net.Listen(port)
	if err != nil {
		h.mesh.t.Fatal(err)
	}
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = h.address()
	for _, change := range changes {
		change(&cfg)
	}
	h.Transport, err = supervisor.NewTransport(keys, h.book, cfg, append([]supervisor.Option{
		supervisor.WithListener(listener), supervisor.WithDialer(h.net.DialContext),
		supervisor.WithActorSystem(h.mesh.system),
		supervisor.WithClock(func() time.Time { return time.Now().Add(h.skew) }),
	}, more...)...)
	if err != nil {
		h.mesh.t.Fatal(err)
	}
	h.starts++
	start := h.starts
	h.answering()
	h.OnEvent(h.record)
	h.OnMessage(func(_ *supervisor.PeerConnection, msg *wire.Message) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.received, h.at = append(h.received, string(msg.Payload)), append(h.at, time.Now())
		h.by = append(h.by, start)
	})
	if err := h.Start(); err != nil {
		h.mesh.t.Errorf("start %s: %v", h.name, err)
		return
	}
	h.up = true
}

func (h *host) record(e supervisor.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
	if _, down := e.(supervisor.PeerDown); down {
		h.downs = append(h.downs, time.Now())
	}
}

// stop stops a host gracefully.
func (h *host) stop() {
	if h.up {
		h.up = false
		if err := h.Stop(); err != nil {
			h.mesh.t.Errorf("stop %s: %v", h.name, err)
		}
	}
}

// kill ends a host's process: its connections are reset, and the other members hear nothing. powerLoss: of the whole
// machine, whose connections end without a reset.
func (h *host) kill(powerLoss bool) {
	h.up = false
	if h.bus != nil {
		h.bus.Kill()
	}
	h.net.Crash(powerLoss)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = h.StopContext(ended) // frees its goroutines
}

// useSessions makes a peer without sessions offer them from now on.
func (h *host) useSessions() {
	h.mesh.t.Helper()
	cfg := supervisor.DefaultTransportConfig()
	cfg.ListenAddr = h.address()
	if _, _, err := h.Reconfigure(context.Background(), cfg); err != nil {
		h.mesh.t.Fatal(err)
	}
}

// dial opens a connection to another host.
func (h *host) dial(to *host) *supervisor.PeerConnection {
	h.mesh.t.Helper()
	c, err := h.Connect(&supervisor.Peer{Address: to.address()})
	if err != nil {
		h.mesh.t.Fatal(err)
	}
	return c
}

// id is the host's node ID.
func (h *host) id() string { return h.Identity().ID }

// send sends a message of the type "test" and returns the error.
func (h *host) send(to, text string) error { return h.sendWithin(time.Minute, to, text) }

// sendWithin is send with a timeout.
func (h *host) sendWithin(limit time.Duration, to, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	msg, err := wire.NewMessage(testType, h.id(), to, text)
	if err != nil {
		return err
	}
	return h.SendContext(ctx, to, msg)
}

// message returns a message of a peer to the node.
func (h *host) message(text string) *wire.Message {
	msg, err := wire.NewMessage(testType, h.id(), nodeID(), text)
	if err != nil {
		panic(err)
	}
	return msg
}

// messages returns the payloads of all delivered messages of the type "test".
func (h *host) messages() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.received)
}

// eventsOf returns the events about a peer, by their types: "up", "verified", "moved", "down".
func (h *host) eventsOf(peer string) (kinds []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		switch e := e.(type) {
		case supervisor.PeerUp:
			kinds = appendIf(kinds, e.Peer == peer, "up")
		case supervisor.PeerVerified:
			kinds = appendIf(kinds, e.Peer == peer, "verified")
		case supervisor.PeerMoved:
			kinds = appendIf(kinds, e.Peer == peer, "moved")
		case supervisor.PeerDown:
			kinds = appendIf(kinds, e.Peer == peer, "down")
		}
	}
	return kinds
}

func appendIf(list []string, condition bool, text string) []string {
	if condition {
		return append(list, text)
	}
	return list
}
