package supervisor

import (
	"fmt"
	"maps"
	"slices"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
	"github.com/asynkron/protoactor-go/actor"
)

// HandleFailure implements actor.SupervisorStrategy. It stops a connection whose actor panicked. It never restarts one,
// because the socket is lost.
func (r *registry) HandleFailure(
	_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any,
) {
	r.panicked++
	r.node.Counters.Inc(actors.ActorRestarts)
	fault := fmt.Sprint(reason)
	r.node.LimitedLog.Warn("a connection's actor panicked and was stopped", "panic", actors.Quote(fault))
	supervisor.StopChildren(child)
}

// onTerminated frees the slot of a terminated actor, or unsubscribes a terminated subscriber.
func (r *registry) onTerminated(ctx actor.Context, pid *actor.PID) {
	s := r.slots[pid.Id]
	if s == nil {
		r.bus.unsubscribe(pid)
		return
	}
	r.cleanup(ctx, s)
}

// cleanup removes the slot of a terminated actor, with the end that the actor reported, if any.
func (r *registry) cleanup(ctx actor.Context, s *slot) {
	end := actors.End{Code: wire.DisconnectGoingAway, Reason: "internal error", Err: actors.ErrClosed}
	if report := s.actor.Handle().Ended(); report != nil {
		end = report.End
	}
	if report := s.actor.Handle().LastVerified(); report != nil {
		r.onVerifiedLate(s, report.Strength)
	}
	if s.actor.Handle().RefusedForeign() && s.conn != nil && !s.downgradeSeen {
		r.reportDowngrade(s)
	}
	r.markClosed(ctx, s, end)
	r.freeSlot(ctx, s)
}

// freeSlot removes a slot from the tables. Before that, a draining connection still delivers messages, which use its
// bucket and its share of the dedup set.
func (r *registry) freeSlot(ctx actor.Context, s *slot) {
	delete(r.slots, s.pid.Id)
	r.countSlots()
	if s.dedup != nil {
		r.releaseBucket(s.bucket)
		s.dedup.Leave()
		r.dropAuthor(s)
	}
	if s.conn != nil && s.conn.inbox != nil && !s.conn.inbox.Idle() {
		r.lagging[s.conn.inbox] = struct{}{}
	}
	if s.challenge != nil {
		delete(r.byChallenge, *s.challenge)
		r.ownDials.remove(*s.challenge)
	}
	if s.cancelDial != nil {
		s.cancelDial() // closes the socket of a dial in progress
	}
	r.uncountAddress(s.group)
	r.handOver(ctx, s)
	if r.stopping && len(r.slots) == 0 {
		ctx.Stop(ctx.Self())
	}
}

// reconcile runs reconcileTables and recovers from its panics: protoactor would stop every connection. The next panic
// or termination reconciles again.
func (r *registry) reconcile(ctx actor.Context) {
	defer func() {
		if fault := recover(); fault != nil {
			r.node.Log.Error("the registry's tables could not be reconciled", "panic", fault)
		}
	}()
	r.reconcileTables(ctx)
}

// reconcileTables makes the tables agree with the living children after a panic interrupted a change of the tables.
func (r *registry) reconcileTables(ctx actor.Context) {
	living := make(map[string]bool)
	for _, pid := range ctx.Children() {
		living[pid.Id] = true
		if r.slots[pid.Id] == nil {
			ctx.Stop(pid) // the panic came before its slot was stored
		}
	}
	for id, s := range maps.Clone(r.slots) { // a clone: handOver adds slots during the loop
		if !living[id] {
			r.cleanup(ctx, s)
		}
	}
	r.established = 0
	for id := range r.peers {
		r.peers[id] = slices.DeleteFunc(r.peers[id], func(s *slot) bool { return s.closed || r.slots[s.pid.Id] != s })
		r.established += len(r.peers[id])
		r.reroute(ctx, id)
	}
	r.reconcileClaims(ctx)
	for _, t := range r.targets {
		r.reconcileTarget(ctx, t)
	}
}
