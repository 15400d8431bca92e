package supervisor

import (
	"fmt"
	"maps"
	"slices"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
	"github.com/asynkron/protoactor-go/actor"
)

// HandleFailure implements actor.SupervisorStrategy: a connection that panicked is stopped, never restarted, since its
// socket cannot come back.
func (r *registry) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	r.panicked++
	r.node.Counters.Inc(actors.ActorRestarts)
	fault := fmt.Sprint(reason)
	r.node.LimitedLog.Warn("a connection's actor panicked and was stopped", "panic", actors.Quote(fault))
	supervisor.StopChildren(child)
}

// onTerminated frees the place of a connection whose actor is gone.
func (r *registry) onTerminated(ctx actor.Context, pid *actor.PID) {
	s := r.slots[pid.Id]
	if s == nil {
		r.bus.unsubscribe(pid)
		return
	}
	r.cleanup(ctx, s)
}

// cleanup takes a place out whose actor is gone, with what it said of its end, if it said anything.
func (r *registry) cleanup(ctx actor.Context, s *slot) {
	end := actors.End{Code: wire.DisconnectGoingAway, Reason: "internal error", Err: actors.ErrClosed}
	if said := s.actor.Handle().Ended(); said != nil {
		end = said.End
	}
	if said := s.actor.Handle().LastVerified(); said != nil {
		r.onProvenLate(s, said.Strength)
	}
	r.markClosed(ctx, s, end)
	r.freeSlot(ctx, s)
}

// freeSlot takes a place out of the tables. Until then its connection, if it drains, delivers messages, which use the bucket
// and the share of the dedup set.
func (r *registry) freeSlot(ctx actor.Context, s *slot) {
	delete(r.slots, s.pid.Id)
	if s.dedup != nil {
		r.releaseBucket(s.bucket)
		s.dedup.Leave()
	}
	if s.conn != nil && s.conn.delivery != nil && !s.conn.delivery.Idle() {
		r.lagging[s.conn.delivery] = struct{}{}
	}
	delete(r.byChallenge, s.challenge)
	r.ownDials.remove(s.challenge)
	if s.cancelDial != nil {
		s.cancelDial() // its socket must not outlive the place
	}
	r.uncountAddress(s.group)
	r.handOver(ctx, s)
	if r.stopping && len(r.slots) == 0 {
		ctx.Stop(ctx.Self())
	}
}

// reconcile reconciles. What fails even then is left for the next panic or termination to mend: out of here a panic would
// have protoactor stop every connection.
func (r *registry) reconcile(ctx actor.Context) {
	defer func() {
		if fault := recover(); fault != nil {
			r.node.Log.Error("the registry's tables could not be mended", "panic", fault)
		}
	}()
	r.reconcileTables(ctx)
}

// reconcileTables makes the tables agree with the living children again, after a panic left them in between.
func (r *registry) reconcileTables(ctx actor.Context) {
	living := make(map[string]bool)
	for _, pid := range ctx.Children() {
		living[pid.Id] = true
		if r.slots[pid.Id] == nil {
			ctx.Stop(pid) // it was spawned, but nobody got its slot
		}
	}
	for id, s := range maps.Clone(r.slots) { // who inherits a place is not among them, and lives
		if !living[id] {
			r.cleanup(ctx, s)
		}
	}
	for id := range r.peers {
		r.peers[id] = slices.DeleteFunc(r.peers[id], func(s *slot) bool { return s.closed || r.slots[s.pid.Id] != s })
		r.reroute(ctx, id)
	}
	for _, t := range r.targets {
		r.reconcileTarget(ctx, t)
	}
}
