package supervisor

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"path/filepath"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/supervisor/dedup"
	"github.com/Snider/go-p2p/supervisor/peerbook"
)

// Start opens the listener, starts the actors, joins the cluster (WithCluster), and dials the peers that are kept
// connected. A transport starts only once.
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
	if err := t.serve(ln); err != nil {
		if ln != nil {
			ln.Close()
		}
		t.node.System.Root.Stop(t.pid)
		t.phase = transportStopped
		defer close(t.stopped)
		return errors.Join(err, t.cleanup(context.Background()))
	}
	t.tell(&dialPeers{})
	return nil
}

// serve joins the cluster, so that the first peer already finds its home, and then accepts on ln, which may be nil.
func (t *Transport) serve(ln net.Listener) (err error) {
	if t.opts.cluster != nil {
		if err := t.opts.cluster.Join(context.Background(), clusterLocal{t}); err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	if ln != nil {
		t.listener, err = listen(ln, &t.live, t.node, t.pid, t.ended)
	}
	return err
}

// openListener returns the listener, or nil if the node does not accept peers.
func (t *Transport) openListener() (net.Listener, error) {
	ln := t.opts.listener
	if ln == nil && t.cfg.ListenAddr != "" {
		var err error
		if ln, err = net.Listen(listenNetwork(t.cfg.ListenAddr), t.cfg.ListenAddr); err != nil {
			return nil, fmt.Errorf("listen: %w", err)
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
		transport: t, deliveries: &t.deliveries, cluster: t.opts.cluster,
		claims: actors.NewPeerRateLimiter(claimBurst+float64(t.cfg.MaxConns), 1, time.Now()),
		slots:  make(map[string]*slot), byChallenge: make(map[challenge]*slot), perAddress: make(map[string]int),
		rates:  newAdmissionRates(),
		peers:  make(map[string][]*slot),
		states: make(map[string]*peerState), conflicts: make(map[string]*conflict),
		rollbacks: make(rollbackTimes), sessionsOff: make(rollbackTimes),
		lagging: make(map[*actors.Inbox]struct{}),
		targets: make(map[string]*dialTarget), targetsOf: make(targetIndex), buckets: make(map[bucketKey]*bucket),
		sendBuckets: make(idleSendBuckets), further: make(map[string]*further),
		refusals: make(refusals),
	}
	r.broadcaster = t.spawnBroadcaster()
	r.nodeEvents = actors.NewInbox(eventSink{t.bus}, t.node.Counters, t.node.LimitedLog, &t.deliveries)
	props := actor.PropsFromProducer(func() actor.Actor { return r }, actor.WithDispatcher(t.workers),
		actor.WithMailbox(actor.Unbounded(&leftovers{system: t.opts.system, ended: t.ended})))
	t.pid = t.opts.system.Root.SpawnPrefix(props, "p2p-registry-")
}

// spawnBroadcaster starts the broadcaster. The registry stops it.
func (t *Transport) spawnBroadcaster() *actor.PID {
	b := &broadcaster{node: t.node, table: t.routes, done: make(chan struct{})}
	t.posted = b.done
	props := actor.PropsFromProducer(func() actor.Actor { return b }, actor.WithDispatcher(t.workers))
	return t.opts.system.Root.SpawnPrefix(props, "p2p-broadcaster-")
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
	crashed, err := t.book.Begin()
	if err != nil {
		return err
	}
	if n := t.book.OverLimits(); n > 0 {
		t.opts.log.Warn("entries of the peer book exceeded the limits and were shortened or skipped", "entries", n)
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

// bookFailed reports a failed background write, or a failed read, of the peer book.
func (t *Transport) bookFailed(err error) {
	if errors.Is(err, peerbook.ErrRead) {
		t.limitedLog.Error("an entry of the peer book was not read: the peer counts as unknown", "error", err)
		return
	}
	t.counters.Inc(actors.BookWriteErrors)
	t.limitedLog.Error("the peer book was not written: changes are kept in memory and written later", "error", err)
}

func seenFile(book string) string { return filepath.Join(filepath.Dir(book), "seen") }

func (t *Transport) tell(message any) { t.opts.system.Root.Send(t.pid, message) }
