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
	if said := p.slot.Handle().Proven(); said != nil {
		r.onProvenLate(p, said.Strength)
	}
	r.leave(ctx, p, end)
	r.free(ctx, p)
}

// free takes a place out of the tables. Until then its connection, if it drains, delivers messages, which use the bucket
// and the share of the dedup set.
func (r *registry) free(ctx actor.Context, p *place) {
	delete(r.places, p.pid.Id)
	if p.dedup != nil {
		r.giveBack(p.bucket)
		p.dedup.Leave()
	}
	if p.conn != nil && p.conn.delivery != nil && !p.conn.delivery.Idle() {
		r.behind[p.conn.delivery] = struct{}{}
	}
	delete(r.asked, p.challenge)
	r.ownDials.remove(p.challenge)
	if p.endDial != nil {
		p.endDial() // its socket must not outlive the place
	}
	r.leaveGroup(p.group)
	r.inherit(ctx, p)
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
	for id, p := range maps.Clone(r.places) { // who inherits a place is not among them, and lives
		if !living[id] {
			r.lost(ctx, p)
		}
	}
	for id := range r.peers {
		r.peers[id] = slices.DeleteFunc(r.peers[id], func(p *place) bool { return p.gone || r.places[p.pid.Id] != p })
		r.reroute(ctx, id)
	}
	for _, t := range r.targets {
		r.reconcileTarget(ctx, t)
	}
}
