package supervisor

import (
	"crypto/rand"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Transport is the API of a node: its connections to peers. Make it with NewTransport, set the handlers, call Start,
// and call Stop once. All methods are safe for concurrent use, also in handlers. Transports in one process share
// nothing.
type Transport struct {
	// Fixed after construction.
	cfg        TransportConfig // the initial configuration
	opts       options
	keys       *crypto.NodeManager
	counters   *actors.Counters
	log        *actors.QueuedLog // nil: nothing is logged
	limitedLog *actors.LimitedLogger
	drops      actors.DropReports
	queues     actors.QueuePool
	clock      *runclock.Clock
	node       *actors.Node
	book       *PeerRegistry
	dedup      *MessageDeduplicator
	bus        *eventBus
	routes     *routeTable
	replies    *replies
	ownDials   *ownDials
	answers    answers
	born       time.Time
	work       sync.WaitGroup // pumps, dials and the listener

	conversations conversations // for other members of the cluster
	forwardWaits  forwardWaits

	reconfiguring sync.Mutex
	live          atomic.Pointer[TransportConfig] // the configuration in force; after Start only the registry writes it

	workers    *actors.Workers
	unbounded  *actors.Workers
	writers    actors.Activity
	deliveries actors.Activity // handlers, which may never return

	mu       sync.Mutex
	phase    transportPhase
	pid      *actor.PID
	ended    chan struct{} // closed when the registry has stopped
	posted   chan struct{} // closed when the broadcaster has stopped, behind the registry
	listener *listener

	draining atomic.Bool  // Drain was called
	occupied atomic.Int64 // slots of the registry, for ClusterLocal.Load

	stopped   chan struct{} // closed when Stop is done
	stopError error         // result of Stop; written before stopped is closed
}

type transportPhase int

const (
	transportNew transportPhase = iota
	transportRunning
	transportStopped
)

// NewTransport returns a transport for the identity in keys and the peers in book. It opens nothing. The error is a
// *ConfigError, or crypto.ErrNoIdentity if keys holds no identity.
func NewTransport(
	keys *crypto.NodeManager, book *PeerRegistry, cfg TransportConfig, opts ...Option,
) (*Transport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	switch {
	case keys == nil:
		return nil, &ConfigError{Field: "keys", Reason: "must not be nil"}
	case book == nil:
		return nil, &ConfigError{Field: "book", Reason: "must not be nil: NewPeerRegistry makes one in memory"}
	}
	if !keys.HasIdentity() {
		return nil, crypto.ErrNoIdentity
	}
	t := &Transport{
		cfg: cfg.withDefaults(), book: book, routes: newRouteTable(), replies: newReplies(), ownDials: newOwnDials(),
		born: time.Now(), stopped: make(chan struct{}), answers: answers{slots: make(chan struct{}, maxAnswering)},
		counters: &actors.Counters{},
		opts:     options{log: slog.New(slog.DiscardHandler), rand: rand.Reader},
	}
	for i, opt := range opts {
		if opt == nil {
			return nil, &ConfigError{Field: fmt.Sprintf("option %d", i+1), Reason: "must not be nil"}
		}
		if opt(&t.opts); t.opts.wrong != nil {
			return nil, t.opts.wrong
		}
	}
	t.queueLog()
	if t.opts.system == nil {
		t.opts.system = actors.NewSystem()
	}
	actors.FixProcessRegistry(t.opts.system)
	t.live.Store(&t.cfg)
	t.workers, t.unbounded = actors.NewWorkers(idleWorkers), actors.NewUnboundedWorkers(idleWorkers)
	t.writers.Workers, t.deliveries.Workers = t.workers, t.unbounded
	t.bus = &eventBus{system: t.opts.system, observer: t.opts.observer, log: t.opts.log}
	if t.opts.faults != nil {
		t.opts.faults.bus = t.bus
	}
	limit, share := dedupSize(&t.cfg)
	var err error
	if t.dedup, err = NewMessageDeduplicator(t.cfg.DedupTTL, limit, share, time.Now(), t.opts.rand); err != nil {
		return nil, err
	}
	if err := t.shareDedup(keys); err != nil {
		return nil, err
	}
	t.keys, t.limitedLog = keys, actors.NewLimitedLogger(t.opts.log)
	t.bus.counters, t.bus.limitedLog, t.bus.routes, t.bus.replies = t.counters, t.limitedLog, t.routes, t.replies
	if t.clock = t.opts.running; t.clock == nil {
		t.clock = &runclock.Clock{}
	}
	t.queues.SetLimit(t.cfg.QueueTotalBytes / 2)
	t.node = t.shared(&t.cfg)
	t.dedup.Judge(t.cfg.MaxClockSkew, t.node.ClockAt)
	return t, nil
}

// queueLog makes lines wait for the program's log handler in a queue, so that no actor does.
func (t *Transport) queueLog() {
	handler := t.opts.log.Handler()
	if handler == slog.DiscardHandler {
		return
	}
	t.log = actors.NewQueuedLog(handler, func() { t.counters.Inc(actors.LogLinesDropped) })
	t.opts.log = slog.New(t.log)
}

// OnMessage sets the handler of the messages whose type has no handler of its own (Handle), except ping, pong and
// disconnect, which the transport handles. They have passed the rate limit, decryption and dedup. The handler runs for
// one message at a time and in order for each connection, and concurrently for different connections. It may block,
// panic, call runtime.Goexit and any method: only messages of its own connection are affected. It owns its arguments.
// Set it before Start.
func (t *Transport) OnMessage(handle func(*PeerConnection, *wire.Message)) { t.bus.onMessage = handle }

// OnEvent sets the handler of every Event except Received. Events of a connection come in order with its messages. Set
// it before Start.
func (t *Transport) OnEvent(handle func(Event)) { t.bus.onEvent = handle }

// CountLostEvents adds to the counter eventsLost. A program that passes events on, and drops some for a slow reader,
// calls it. Safe for concurrent use.
func (t *Transport) CountLostEvents(count int) { t.counters.Add(actors.EventsLost, count) }

// Identity returns this node's public identity.
func (t *Transport) Identity() crypto.NodeIdentity { return t.node.Keys.Identity() }

// PID returns the registry's actor, for programs that send it messages: Send, Broadcast, Request, Subscribe,
// Unsubscribe, Connect, Disconnect, DisconnectConnection, Peers, Status, Allow, Revoke and SetAuthMode. It is nil
// before Start.
func (t *Transport) PID() *actor.PID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pid
}

// Addr returns the address of the listener, or nil if the node does not accept peers.
func (t *Transport) Addr() net.Addr {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listener == nil {
		return nil
	}
	return t.listener.net.Addr()
}

// URL returns the address for peers to dial, or "" if the node does not accept peers.
func (t *Transport) URL() string {
	addr := t.Addr()
	if addr == nil {
		return ""
	}
	scheme := "ws://"
	if t.cfg.TLSCertPath != "" {
		scheme = "wss://"
	}
	return scheme + addr.String() + t.cfg.WSPath
}

// ConnectedPeers returns the number of peers with a route.
func (t *Transport) ConnectedPeers() int { return t.routes.len() }

// GetConnection returns the route to a peer, or nil if it has none.
func (t *Transport) GetConnection(peerID string) *PeerConnection { return t.routes.get(peerID) }

// verified reports whether a peer is connected and has proved its key.
func (t *Transport) verified(peerID string) bool {
	c := t.routes.get(peerID)
	return c != nil && c.Verified()
}

// Connections iterates over the routes at the time of the call, one connection for each peer.
func (t *Transport) Connections() iter.Seq[*PeerConnection] {
	return slices.Values(t.routes.snapshot().conns)
}
