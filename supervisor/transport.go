package supervisor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor/dedup"
	"github.com/Snider/go-p2p/wire"
)

// Transport is the API of a node: its connections to peers. Make it with NewTransport, set the handlers, call Start,
// and call Stop once. All methods are safe for concurrent use, also in handlers. Transports in one process share
// nothing.
type Transport struct {
	// Fixed after construction.
	cfg      TransportConfig // the initial configuration
	opts     options
	keys     *crypto.NodeManager
	counters *actors.Counters
	samples  *actors.LimitedLogger
	drops    actors.DropReports
	clock    *runclock.Clock
	node     *actors.Node
	book     *PeerRegistry
	dedup    *MessageDeduplicator
	bus      *eventBus
	routes   *routeTable
	replies  *replies
	ownDials *ownDials
	born     time.Time
	work     sync.WaitGroup // pumps, dials and the listener

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
	listener *listener

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
func NewTransport(keys *crypto.NodeManager, book *PeerRegistry, cfg TransportConfig, opts ...Option) (*Transport,
	error,
) {
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
		born:    time.Now(),
		stopped: make(chan struct{}),
		opts: options{
			log: slog.New(slog.DiscardHandler), rand: rand.Reader,
		},
	}
	for i, opt := range opts {
		if opt == nil {
			return nil, &ConfigError{Field: fmt.Sprintf("option %d", i+1), Reason: "must not be nil"}
		}
		if opt(&t.opts); t.opts.wrong != nil {
			return nil, t.opts.wrong
		}
	}
	if t.opts.system == nil {
		// protoactor's own log would print message contents.
		quiet := func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
		t.opts.system = actor.NewActorSystem(actor.WithLoggerFactory(quiet))
	}
	actors.FitRegistry(t.opts.system)
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
	t.keys, t.counters, t.samples = keys, &actors.Counters{}, actors.NewLimitedLogger(t.opts.log)
	t.bus.counters = t.counters
	if t.clock = t.opts.running; t.clock == nil {
		t.clock = &runclock.Clock{}
	}
	t.node = t.shared(&t.cfg)
	t.dedup.Judge(t.cfg.MaxClockSkew, t.node.ClockAt)
	return t, nil
}

// OnMessage sets the handler of every message that passes the rate limit, decryption and dedup. It also gets pings,
// pongs and disconnects, which the transport has handled. It runs for one message at a time and in order for each
// connection, and concurrently for different connections. It may block, panic, call runtime.Goexit and any method: only
// messages of its own connection are affected. It owns its arguments. Set it before Start.
func (t *Transport) OnMessage(handle func(*PeerConnection, *wire.Message)) { t.bus.onMessage = handle }

// OnEvent sets the handler of every Event except Received. Events of a connection come in order with its messages. Set
// it before Start.
func (t *Transport) OnEvent(handle func(Event)) { t.bus.onEvent = handle }

// Identity returns this node's public identity.
func (t *Transport) Identity() crypto.NodeIdentity { return t.node.Keys.Identity() }

// PID returns the registry's actor, for programs that send it messages: Send, Broadcast, Subscribe, Unsubscribe,
// Connect, Disconnect and DisconnectConnection. It is nil before Start.
func (t *Transport) PID() *actor.PID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pid
}

// Start opens the listener, starts the actors, and dials the peers that are kept connected. A transport starts only
// once.
func (t *Transport) Start() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != transportNew {
		return fmt.Errorf("start: a transport starts only once: make a new one")
	}
	ln, err := t.openListener()
	if err != nil {
		return err
	}
	if err := t.restore(); err != nil {
		if ln != nil {
			ln.Close()
		}
		return err
	}
	t.phase = transportRunning
	t.clock.Start()
	t.book.Serve(t.verified, t.bookFailed)
	t.book.UsePins(pinsOf(t.cfg.Peers))
	t.spawnRegistry()
	if ln != nil {
		if t.listener, err = listen(ln, &t.live, t.node, t.pid, t.ended); err != nil {
			ln.Close()
			t.node.System.Root.Stop(t.pid)
			t.phase = transportStopped
			defer close(t.stopped)
			return errors.Join(err, t.cleanup(context.Background()))
		}
	}
	t.tell(&dialPeers{})
	return nil
}

// openListener returns the listener, or nil if the node does not accept peers.
func (t *Transport) openListener() (net.Listener, error) {
	ln := t.opts.listener
	if ln == nil && t.cfg.ListenAddr != "" {
		var err error
		if ln, err = net.Listen(listenNetwork(t.cfg.ListenAddr), t.cfg.ListenAddr); err != nil {
			return nil, fmt.Errorf("listen: %w: %s", err, listenAdvice(err))
		}
	}
	if ln == nil {
		return nil, nil
	}
	return &wrappedListener{Listener: ln, opts: &t.opts, clock: t.clock}, nil
}

// spawnRegistry starts the registry.
func (t *Transport) spawnRegistry() {
	t.bus.open()
	dials, stopDials := context.WithCancel(context.Background())
	t.ended = make(chan struct{})
	r := &registry{
		cfg: &t.cfg, live: &t.live, node: t.node, shared: t.node, book: t.book, dedup: t.dedup, bus: t.bus,
		routes: t.routes, ownDials: t.ownDials,
		dial: t.dialSocket, random: mathrand.Float64, dials: dials, stopDials: stopDials, done: t.ended,
		deliveries: &t.deliveries, claims: actors.NewPeerRateLimiter(claimBurst+float64(t.cfg.MaxConns), 1, time.Now()),
		slots: make(map[string]*slot), byChallenge: make(map[challenge]*slot), perAddress: make(map[string]int),
		peers:  make(map[string][]*slot),
		states: make(map[string]*peerState), conflicts: make(map[string]*conflict),
		lagging: make(map[*actors.Inbox]struct{}),
		targets: make(map[string]*dialTarget), buckets: make(map[bucketKey]*bucket),
		sendBuckets: make(idleSendBuckets), further: make(map[string]*further),
	}
	r.nodeEvents = actors.NewInbox(eventSink{t.bus}, t.node.Counters, t.node.LimitedLog, &t.deliveries)
	props := actor.PropsFromProducer(func() actor.Actor { return r }, actor.WithDispatcher(t.workers))
	t.pid = t.opts.system.Root.SpawnPrefix(props, "p2p-registry-")
}

func (t *Transport) dialSocket(ctx context.Context, url string) (*socket.Conn, error) {
	now := t.live.Load()
	config, err := dialTLS(now.TLSCAPath)
	if err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := t.opts.connect(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return runclock.Wrap(conn, t.clock), nil
	}
	limits := now.limits()
	opts := limits.Socket()
	opts.Running = t.clock
	conn, err := socket.Dial(ctx, url, dial, config, opts)
	if errors.Is(err, socket.ErrDialTimeout) {
		err = actors.ErrHandshakeTimeout // the dial is the first phase of the handshake
	}
	return conn, err
}

// restore loads the message ids of the last run. If the last run did not stop gracefully, it makes the dedup set reject
// old messages.
func (t *Transport) restore() error {
	path := t.book.Path()
	if path == "" {
		return nil
	}
	if n := t.book.OverLimits(); n > 0 {
		t.opts.log.Warn("entries of the peer book exceeded the limits and were shortened or skipped", "entries", n)
	}
	crashed, err := t.book.Begin()
	if err != nil {
		return err
	}
	found, err := t.dedup.Load(seenFile(path), time.Now(), t.node.Clock())
	if errors.Is(err, dedup.ErrFile) {
		return fmt.Errorf("start: %w", err)
	}
	if err != nil {
		t.opts.log.Warn("the message ids of the last run are lost", "error", err)
	}
	if crashed && !found || err != nil {
		t.dedup.Distrust(t.node.Clock(), time.Now())
	}
	return nil
}

// bookFailed reports a failed background write of the peer book.
func (t *Transport) bookFailed(err error) {
	t.counters.Inc(actors.BookWriteErrors)
	t.samples.Error("the peer book was not written: changes are kept in memory and written later", "error", err)
}

func seenFile(book string) string { return filepath.Join(filepath.Dir(book), "seen") }

func (t *Transport) tell(message any) { t.opts.system.Root.Send(t.pid, message) }

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
func (t *Transport) Connections() iter.Seq[*PeerConnection] { return t.routes.all() }
