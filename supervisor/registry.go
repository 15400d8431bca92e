package supervisor

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// registry is the parent of every connection. It alone decides who may connect, who carries a peer's traffic, and
// whom to dial again. It never waits: not for a peer, not for a disk, not for an answer.
//
// Invariants, checked by tests:
//   - places are exactly the living children;
//   - the directory names a connection for exactly those peers that have one in peers, and it is the first there;
//   - the number of places never exceeds MaxConns.
type registry struct {
	// Fixed at construction.
	live      *atomic.Pointer[TransportConfig] // where others read cfg
	node      *actors.Node
	book      *PeerRegistry
	dedup     *MessageDeduplicator
	hub       *hub
	directory *directory
	happened  *actors.Delivery // for events that belong to no connection
	dial      func(ctx context.Context, url string) (*actors.Socket, error)
	random    func() float64
	dials     context.Context
	stopDials context.CancelFunc
	done      chan struct{}

	deliveries *actors.Activity

	// Owned by Receive.
	cfg      *TransportConfig // in force; what it points to is never written
	fresh    *actors.Node     // what new connections share
	self     *actor.PID
	places   map[string]*place   // by the ID of the actor's PID
	groups   map[string]int      // inbound places by address group
	peers    map[string][]*place // open connections by node ID, the carrier first
	verified map[string]bool     // peers whose proof has been told
	targets  map[string]*target  // by URL
	buckets  map[bucketKey]*bucket
	settling map[string]*time.Timer
	sweeper  *time.Timer
	patience *time.Timer
	order    uint64
	stopping bool
	restarts uint64 // panics of its own
	stopped  uint64 // connections that were stopped because they panicked
}

// Receive implements actor.Actor. It is guarded: a panic costs the message at hand and no connection.
func (r *registry) Receive(ctx actor.Context) {
	defer func() {
		if fault := recover(); fault != nil {
			r.restarts++
			r.node.Counters.Inc(actors.ActorRestarts)
			r.node.Log.Error("the registry panicked and goes on", "panic", fault, "stack", string(debug.Stack()))
			r.mend(ctx)
		}
	}()
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		r.self = ctx.Self()
		r.sweepLater()
	case *actor.Stopping:
		r.stopTimers()
	case *actor.Stopped:
		close(r.done)
	case *actor.Terminated:
		r.onTerminated(ctx, msg.Who)
	case fromPrograms:
		r.onProgram(ctx, msg)
	case fromTransport:
		r.onTransport(ctx, msg)
	default:
		r.onConnection(ctx, msg)
	}
}

func (r *registry) onProgram(ctx actor.Context, message fromPrograms) {
	switch msg := message.(type) {
	case *Send:
		r.onSend(ctx, msg)
	case *Broadcast:
		r.onBroadcast(ctx, msg)
	case *Subscribe:
		if msg.PID == nil {
			return // nobody: every event sent there would panic
		}
		r.hub.subscribe(msg.PID)
		ctx.Watch(msg.PID)
		answer(ctx, &Subscribed{})
	case *Unsubscribe:
		if msg.PID == nil {
			return
		}
		r.hub.unsubscribe(msg.PID)
		ctx.Unwatch(msg.PID)
	case *Connect:
		r.onConnect(ctx, msg)
	case *Disconnect:
		answer(ctx, &Disconnected{Err: r.disconnect(ctx, msg)})
	}
}

func (r *registry) onTransport(ctx actor.Context, message fromTransport) {
	switch msg := message.(type) {
	case *admission:
		r.onAdmission(ctx, msg)
	case *redial:
		if msg.generation == msg.target.generation {
			r.ensure(ctx, msg.target)
		}
	case *settle:
		r.onSettle(ctx, msg.peer)
	case *authChanged:
		r.onAuthChanged(ctx)
	case *reconfigure:
		r.onReconfigure(ctx, msg)
	case *census:
		answer(ctx, r.count())
	case *climb:
		answer(ctx, r.tree(msg.limit))
	case *sweep:
		r.onSweep()
	case *shutdown:
		r.onShutdown(ctx, msg)
	case *hurry:
		for _, p := range r.places {
			ctx.Stop(p.pid)
		}
	case *dialPeers:
		r.onDialPeers(ctx)
	}
}

func (r *registry) onConnection(ctx actor.Context, message any) {
	switch msg := message.(type) {
	case *actors.Identified:
		if p := r.places[msg.PID.Id]; p != nil && !p.gone && p.conn == nil {
			r.onIdentified(ctx, p, msg)
		}
	case *actors.Proven:
		if p := r.places[msg.PID.Id]; p != nil && !p.gone && p.conn != nil {
			r.onProven(ctx, p)
		}
	case *actors.Alive:
		if p := r.places[msg.PID.Id]; p != nil && !p.gone && p.conn != nil {
			p.standing.confirmed = true
			r.reorder(p.identity.ID)
		}
	case *actors.Ended:
		if p := r.places[msg.PID.Id]; p != nil {
			r.leave(ctx, p, msg.End)
		}
	}
}

func (r *registry) count() *censusTaken {
	taken := &censusTaken{kept: make(map[string]bool)}
	for _, list := range r.peers {
		taken.established += len(list)
	}
	taken.pending = len(r.places) - taken.established
	for _, t := range r.targets {
		if t.keep && t.peer != "" {
			taken.kept[t.peer] = true
		}
	}
	return taken
}

// answer replies to who asked, if anybody did.
func answer(ctx actor.Context, message any) {
	if ctx.Sender() != nil {
		ctx.Respond(message)
	}
}

// spawn makes a place and its actor.
func (r *registry) spawn(ctx actor.Context, opening actors.Opening) (*place, error) {
	slot, err := actors.SpawnPeer(ctx, r.fresh, opening)
	if err != nil {
		return nil, err
	}
	p := &place{
		slot: slot, pid: slot.Handle().PID(), direction: opening.Direction,
		challenge: opening.Challenge, born: time.Now(),
	}
	r.places[p.pid.Id] = p
	return p, nil
}

func (r *registry) onAdmission(ctx actor.Context, msg *admission) {
	group := addressGroup(msg.remote)
	why := admit(occupancy{stopping: r.stopping, conns: len(r.places), fromAddress: r.groups[group]}, r.cfg, group != "")
	if why != admitted {
		r.node.Counters.Inc(actors.ConnectionsRefused)
		r.node.Samples.Warn("connection refused", "remote", msg.remote, "reason", string(why))
		answer(ctx, why)
		return
	}
	p, err := r.spawn(ctx, actors.Opening{Direction: Inbound, Remote: msg.remote, Since: msg.since})
	if err != nil {
		answer(ctx, refusal(err.Error()))
		return
	}
	if group != "" {
		p.group = group
		r.groups[group]++
	}
	answer(ctx, p.slot)
}

// onIdentified decides about a peer that has shown who it is, and opens the connection or refuses it.
func (r *registry) onIdentified(ctx actor.Context, p *place, msg *actors.Identified) {
	p.listed = r.book.Allowed(msg.Key)
	why := judgePeer(credentials{
		self:       msg.Key == r.node.Keys.PublicKey(),
		reflected:  p.direction == Inbound && r.isOurs(msg.Challenge),
		authorized: r.book.Authorized(msg.Key),
		listed:     p.listed,
		unlisted:   r.unlisted(),
	}, r.cfg)
	if r.stopping {
		why = refusedStopping
	}
	if why != admitted {
		ctx.Send(p.pid, &actors.Refuse{Reason: string(why), Err: refusedHere(why)})
		return
	}
	r.open(ctx, p, msg)
}

// refusedHere is what the one who asked for a connection is told when this node itself refuses it.
func refusedHere(why refusal) error {
	switch why {
	case wire.ReasonNotAuthorized:
		return ErrRevoked
	case refusedStopping:
		return ErrStopped
	case refusedFull:
		return ErrNoRoom
	default:
		return actors.ErrHandshake
	}
}

// isOurs reports whether a challenge is one of those that our own dials have outstanding.
func (r *registry) isOurs(c challenge) bool {
	for _, p := range r.places {
		if p.direction == Outbound && p.conn == nil && p.challenge == c {
			return true
		}
	}
	return false
}

func (r *registry) unlisted() int {
	if r.cfg.ReservedConns == 0 {
		return 0
	}
	n := 0
	for _, p := range r.places {
		if p.conn != nil && !p.listed {
			n++
		}
	}
	return n
}

// open takes a connection into service. The order matters: its own events first, then Welcome, then the directory, so
// that no message can overtake them.
func (r *registry) open(ctx actor.Context, p *place, msg *actors.Identified) {
	id := msg.Identity.ID
	r.order++
	p.identity, p.key, p.features = msg.Identity, msg.Key, msg.Features
	p.standing = standing{
		proven: msg.Proven, confirmed: msg.Proven, order: r.order,
		smaller: (p.direction == Outbound) == (r.node.Keys.Identity().ID < id),
	}
	p.conn = &PeerConnection{
		handle: p.slot.Handle(), hub: r.hub, peer: r.describe(p), peerAddress: msg.Remote, direction: p.direction,
	}
	p.conn.delivery = actors.NewDelivery(p.conn, r.node.Counters, r.node.Log, r.deliveries)
	p.conn.verified.Store(msg.Proven)
	r.peers[id] = append(r.peers[id], p)
	if len(r.peers[id]) == 1 {
		r.verified[id] = msg.Proven
		p.conn.delivery.Event(PeerUp{
			Peer: id, Name: msg.Identity.Name, Address: msg.Remote, Direction: p.direction, Verified: msg.Proven,
		})
	}
	ctx.Send(p.pid, &actors.Welcome{
		Delivery: p.conn.delivery,
		Dedup:    r.dedup.For(id),
		Limiter:  r.borrow(bucketOf(id, msg.Remote)),
	})
	if msg.Proven {
		r.onProven(ctx, p)
	} else {
		r.reorder(id)
	}
	r.reached(p)
}

// describe returns a connected peer as the book would hold it.
func (r *registry) describe(p *place) Peer {
	now := r.node.Clock().UTC()
	peer, known := r.book.Get(p.identity.ID)
	if !known {
		peer.AddedAt = now
	}
	peer.ID, peer.Name, peer.PublicKey = p.identity.ID, p.identity.Name, p.identity.PublicKey
	peer.Role, peer.LastSeen = p.identity.Role, now
	if p.target != nil {
		peer.Address = p.target.address
		peer.Persistent = peer.Persistent || p.target.remember
	}
	return peer
}

// onProven notes that a connection's peer holds its key: only now may it take traffic over, and enter the book.
func (r *registry) onProven(ctx actor.Context, p *place) {
	id := p.identity.ID
	r.order++
	p.standing.proven, p.standing.confirmed, p.standing.order = true, true, r.order
	p.conn.verified.Store(true)
	for _, rival := range r.peers[id] {
		if rival != p && rival.standing.proven {
			rival.standing.confirmed = false
			ctx.Send(rival.pid, &actors.Probe{})
		}
	}
	r.reorder(id)
	r.book.Add(r.describe(p)) // after the tables, since it asks the program's clock
	if !r.verified[id] {      // told last, so that who answers the news with a Send reaches the proven connection
		r.verified[id] = true
		p.conn.delivery.Event(PeerVerified{Peer: id})
	}
}

// HandleFailure implements actor.SupervisorStrategy: a connection that panicked is stopped, never restarted, since its
// socket cannot come back.
func (r *registry) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	r.stopped++
	r.node.Counters.Inc(actors.ActorRestarts)
	fault := fmt.Sprint(reason)
	r.node.Samples.Warn("a connection's actor panicked and was stopped", "panic", actors.Quote(fault))
	supervisor.StopChildren(child)
}

// onTerminated frees the place of a connection whose actor is gone.
func (r *registry) onTerminated(ctx actor.Context, pid *actor.PID) {
	p := r.places[pid.Id]
	if p == nil {
		r.hub.unsubscribe(pid)
		return
	}
	r.lost(ctx, p)
}

// lost takes a place out whose actor is gone, with what it said of its end, if it said anything.
func (r *registry) lost(ctx actor.Context, p *place) {
	end := actors.End{Code: wire.DisconnectGoingAway, Reason: "internal error", Err: actors.ErrClosed}
	if said := p.slot.Handle().Ended(); said != nil {
		end = said.End
	}
	r.leave(ctx, p, end)
	r.free(ctx, p)
}

func (r *registry) free(ctx actor.Context, p *place) {
	delete(r.places, p.pid.Id)
	if p.group != "" {
		if r.groups[p.group]--; r.groups[p.group] == 0 {
			delete(r.groups, p.group)
		}
	}
	if r.stopping && len(r.places) == 0 {
		ctx.Stop(ctx.Self())
	}
}

// mend reconciles. What fails even then is left for the next panic or termination to mend: out of here a panic would
// have protoactor stop every connection.
func (r *registry) mend(ctx actor.Context) {
	defer func() {
		if fault := recover(); fault != nil {
			r.node.Log.Error("the registry's tables could not be mended", "panic", fault)
		}
	}()
	r.reconcile(ctx)
}

// reconcile makes the tables agree with the living children again, after a panic left them in between.
func (r *registry) reconcile(ctx actor.Context) {
	living := make(map[string]bool)
	for _, pid := range ctx.Children() {
		living[pid.Id] = true
		if r.places[pid.Id] == nil {
			ctx.Stop(pid) // it was spawned, but nobody got its slot
		}
	}
	for id, p := range r.places {
		if !living[id] {
			r.lost(ctx, p)
		}
	}
	for id := range r.peers {
		r.peers[id] = slices.DeleteFunc(r.peers[id], func(p *place) bool { return p.gone || r.places[p.pid.Id] != p })
		r.reorder(id)
	}
	for _, t := range r.targets {
		r.retarget(t)
	}
}

// newChallenge makes the challenge of one dial.
func (r *registry) newChallenge() (challenge, error) {
	text, err := crypto.GenerateChallenge(r.node.Rand)
	if err != nil {
		return challenge{}, err
	}
	return challenge(text), nil
}
