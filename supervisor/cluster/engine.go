package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/supervisor"
)

// Errors of Join.
var (
	ErrName    = errors.New("another member has this name: give each member its own")
	ErrVersion = errors.New("a member is of a later version: update this one")
	ErrEarlier = errors.New("a member is of an earlier version: stop all members of that version before this one starts")
)

// ErrLeft is the error of Apply before Join and after Leave, and of a Join that Leave ends.
var ErrLeft = errors.New("this member has left")

// Options are the parameters of an engine. Name, NodeID, Boot and Log are required.
type Options struct {
	Name    string             // of this member: 1 to 32 bytes of a-z, 0-9 and -
	Address string             // at which the bus listens for other members, 255 bytes at most; shown to users
	NodeID  string             // of the identity that the members share
	Boot    uint64             // random, not zero, for each start
	System  *actor.ActorSystem // runs the engine's actor; nil: a new one
	Log     *slog.Logger       // limited in rate by the caller: other members cause lines
	Members *slog.Logger       // gets a line when a member starts, is lost or leaves; nil: none
	// MaxConns are the connections of all members together, from which on this one admits none. They may exceed it by the
	// connections that the members admit within a heartbeat, 250 ms. 0: no limit.
	MaxConns    int
	RefuseAlone bool // admit no connection while no other member is alive

	Running *runclock.Clock // so that a standstill of this process does not make the others seem lost; nil: none
}

// Engine implements supervisor.Cluster. Safe for concurrent use.
type Engine struct {
	opts      Options
	bus       Bus
	directory *directory
	alive     atomic.Pointer[[]string] // names of the members that are alive and do not drain, this one included
	seen      *seen
	forwarder *forwarder

	elsewhere atomic.Int64 // connections of the other members that are not lost

	slowest atomic.Int64 // nanoseconds by which the slowest clock of the members is ahead of this one's; 0 or negative

	mu    sync.RWMutex
	pid   *actor.PID              // nil before Join and after Leave
	local supervisor.ClusterLocal // nil before Join

	exchanges *exchanges
	queues    checkQueues

	answering sync.RWMutex // held while checks are answered
	handing   bool         // checks are answered no longer; guarded by answering
}

var _ supervisor.Cluster = (*Engine)(nil)

// New returns an engine that has not joined.
func New(bus Bus, opts Options) *Engine {
	if opts.System == nil {
		opts.System = actors.NewSystem()
	}
	if opts.Members == nil {
		opts.Members = slog.New(slog.DiscardHandler)
	}
	actors.FixProcessRegistry(opts.System)
	self := &member{name: opts.Name, boot: opts.Boot}
	directory := newDirectory(self)
	e := &Engine{
		opts: opts, bus: bus, directory: directory, exchanges: newExchanges(), seen: newSeen(self, directory),
		queues: checkQueues{byMember: make(map[string]*checkQueue)},
	}
	e.forwarder = newForwarder(e)
	return e
}

// Join implements supervisor.Cluster. It is called once, before every other method.
func (e *Engine) Join(ctx context.Context, local supervisor.ClusterLocal) error {
	if d, drops := e.bus.(Dropper); drops {
		d.OnDrop(local.Count)
	}
	e.seen.begin(local)
	e.forwarder.local = local
	joined := make(chan error, 1)
	c := newCoordinator(e, local, func(err error) { joined <- err })
	props := actor.PropsFromProducer(func() actor.Actor { return c })
	e.mu.Lock()
	e.local = local
	e.pid = e.opts.System.Root.SpawnPrefix(props, "p2p-cluster-")
	e.mu.Unlock()
	err := e.awaitName(ctx, joined)
	if err == nil {
		err = e.listen(local)
	}
	if err == nil {
		e.tell(&beat{}) // not before the subscriptions: a member that is heard and does not answer counts as lost
		select {
		case err = <-joined:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		e.Leave()
		return fmt.Errorf("join the cluster as %q: %w", e.opts.Name, err)
	}
	return nil
}

// awaitName listens to the heartbeats of all members for listenFirst, and sends none. Otherwise the others would take a
// second process of a name for a restart of that member, and drop its claims until they hear the member again.
func (e *Engine) awaitName(ctx context.Context, joined <-chan error) error {
	err := e.subscribe(e.subject("dir"), func(d Delivery) { e.tell(&heard{body: d.Body}) })
	if err != nil {
		return err
	}
	select {
	case err := <-joined:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(listenFirst):
		return nil
	}
}

// listen subscribes to the subjects of this member.
func (e *Engine) listen(local supervisor.ClusterLocal) error {
	for subject, handle := range map[string]func(Delivery){
		e.subject("m", e.opts.Name, "in"):   func(d Delivery) { e.tell(&heard{body: d.Body}) },
		e.subject("m", e.opts.Name, "fwd"):  func(d Delivery) { e.forwarder.onForwarded(d.Body) },
		e.subject("m", e.opts.Name, "ack"):  func(d Delivery) { e.forwarder.onAck(d.Body) },
		e.subject("m", e.opts.Name, "snap"): func(d Delivery) { e.tell(&heard{body: d.Body, respond: d.Respond}) },
		e.subject("m", e.opts.Name, "seen"): e.onCheck,
		e.subject("m", e.opts.Name, "ask"):  func(d Delivery) { e.onAsk(local, d) },
		e.subject("m", e.opts.Name, "book"): e.onBook,
	} {
		if err := e.subscribe(subject, handle); err != nil {
			return err
		}
	}
	return nil
}

// subscribe subscribes to a subject until the end of the actor. A panic of handle costs its message only.
func (e *Engine) subscribe(subject string, handle func(Delivery)) error {
	cancel, err := e.bus.Subscribe(subject, func(d Delivery) {
		defer e.contain()
		handle(d)
	})
	if err == nil && !e.tell(&subscribed{cancel: cancel}) {
		cancel()
		err = ErrLeft
	}
	return err
}

// Leave implements supervisor.Cluster. The actor ends after the messages in its mailbox.
func (e *Engine) Leave() {
	e.mu.Lock()
	pid := e.pid
	e.pid = nil
	e.mu.Unlock()
	e.exchanges.end()
	if pid != nil {
		_ = e.opts.System.Root.PoisonFuture(pid).Wait()
		e.forwarder.close()
	}
}

// Name implements supervisor.Cluster.
func (e *Engine) Name() string { return e.opts.Name }

// Home implements supervisor.Cluster.
func (e *Engine) Home(peer string) (name string, held bool) {
	if m := e.directory.home(peer); m != nil {
		return m.name, true
	}
	return "", false
}

// Claim implements supervisor.Cluster. Before Join and after Leave the claim is refused.
func (e *Engine) Claim(c supervisor.Claim, decided func(supervisor.ClaimVerdict)) {
	if !e.tell(&claiming{claim: c, decided: decided}) {
		decided(supervisor.ClaimVerdict{})
	}
}

// Release implements supervisor.Cluster.
func (e *Engine) Release(peer string, term uint64, tokens float64) {
	e.tell(&releasing{peer, term, tokens})
}

// Drain implements supervisor.Cluster.
func (e *Engine) Drain() { e.tell(&draining{}) }

// AwaitFree implements supervisor.Cluster.
func (e *Engine) AwaitFree(peer string, freed func()) { e.tell(&awaiting{peer, freed}) }

// Members implements supervisor.Cluster. It returns none after Leave.
func (e *Engine) Members() []supervisor.ClusterMember {
	answer := make(chan []supervisor.ClusterMember, 1)
	if !e.tell(&listing{answer}) {
		return nil
	}
	list := <-answer
	slices.SortFunc(list, func(a, b supervisor.ClusterMember) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// tell sends a message to the actor. Before Join and after Leave it sends nothing and returns false.
func (e *Engine) tell(msg any) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.pid == nil {
		return false
	}
	e.opts.System.Root.Send(e.pid, msg)
	return true
}

// subject returns the subject with these parts.
func (e *Engine) subject(parts ...string) string {
	subject := "p2p." + e.opts.NodeID
	for _, part := range parts {
		subject += "." + part
	}
	return subject
}
