package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// spawn creates a slot and its actor.
func (r *registry) spawn(ctx actor.Context, opening actors.Opening) (*slot, error) {
	child, err := actors.SpawnPeer(ctx, r.shared, opening)
	if err != nil {
		return nil, err
	}
	s := &slot{
		actor: child, pid: child.Handle().PID(), direction: opening.Direction, born: time.Now(),
	}
	r.slots[s.pid.Id] = s
	r.countSlots()
	if s.direction == Outbound {
		own := opening.Challenge
		s.challenge = &own
		r.byChallenge[own] = s
		r.ownDials.add(own)
	}
	return s, nil
}

// clusterRefusal returns why the limits of the cluster admit no further connection; empty: they do.
func (r *registry) clusterRefusal() refusal {
	if r.cluster == nil {
		return admitted
	}
	return refusal(r.cluster.Admits(len(r.slots)))
}

func (r *registry) onAdmission(ctx actor.Context, msg *admission) {
	group, rate, now := addressGroup(msg.remote), admissionRateOf(r.cfg.MaxConnsPerAddress), time.Now()
	if len(r.lagging) >= maxLagging(r.cfg) {
		r.pruneLagging()
	}
	why := admit(occupancy{
		stopping: r.leaving(), conns: len(r.slots), perAddress: r.perAddress[group], lagging: len(r.lagging),
		exhausted: r.rates.exhausted(group, rate, now), cluster: r.clusterRefusal(),
	}, r.cfg, group != "")
	if why == refusedFull && r.evictFor(ctx, msg) {
		return
	}
	if why != admitted {
		r.node.Counters.Inc(actors.ConnectionsRefused)
		r.node.LimitedLog.Warn("connection refused", "remote", msg.remote, "reason", string(why))
		r.answer((*actors.Slot)(nil))
		return
	}
	s, err := r.spawn(ctx, actors.Opening{Direction: Inbound, Remote: msg.remote, Since: msg.since})
	if err != nil {
		r.answer((*actors.Slot)(nil))
		return
	}
	s.group = group
	r.rates.charge(group, rate, now)
	r.countAddress(group)
	r.answer(s.actor)
}
