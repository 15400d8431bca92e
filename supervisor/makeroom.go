package supervisor

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// Whether somebody is on the allowlist shows in the handshake only, and for that it needs a place. So when places are
// reserved for the allowlist and all are taken, one whose peer has not been let in yet is ended for the newcomer. Those who
// are let in leave the reserved places free: see judgePeer. Who is on the list can still be driven out during its handshake,
// but only by as many newcomers, in this short time, as there are such places, and each from another address.

// heir is an admission that waits for the slot of a connection that is ended for it.
type heir struct {
	*admission
	reply func(answer any)
}

// makeRoom ends a place for a newcomer, which gets it once it is free, and reports whether there is one.
func (r *registry) makeRoom(ctx actor.Context, newcomer *admission) bool {
	p := r.yielding(newcomer)
	if p == nil {
		return false
	}
	p.heir = &heir{admission: newcomer, reply: r.takeReply()}
	r.enterGroup(addressGroup(newcomer.remote)) // while it waits, too: else a hundred at once would be within the limit
	r.endHandshake(ctx, p, newcomer.remote)
	return true
}

// makeRoomForDial ends a place for a dial of our own, which begins once the place is free, and reports whether there is
// one: half-open handshakes of strangers must not keep this node from dialling.
func (r *registry) makeRoomForDial(ctx actor.Context, t *target) bool {
	if r.cfg.ReservedConns == 0 || len(r.places) > r.cfg.MaxConns {
		return false
	}
	for _, p := range r.places {
		if p.dial == t {
			return true
		}
	}
	open, crowds := r.applicants()
	p := firstToYield(open, crowds)
	if p == nil {
		return false
	}
	p.dial = t
	r.endHandshake(ctx, p, t.address)
	return true
}

// endHandshake stops a connection whose place is needed.
func (r *registry) endHandshake(ctx actor.Context, p *place, newcomer string) {
	if !p.gone {
		r.node.Counters.Inc(actors.HandshakesRejected)
		r.node.Samples.Warn("handshake ended: its place is needed", "newcomer", newcomer)
	}
	ctx.Stop(p.pid)
}

// yielding returns the place that makes room for a newcomer; nil: none does.
func (r *registry) yielding(newcomer *admission) *place {
	if r.cfg.ReservedConns == 0 || len(r.places) > r.cfg.MaxConns {
		return nil
	}
	open, crowds := r.applicants()
	own := addressGroup(newcomer.remote)
	crowds[own]++
	p := firstToYield(open, crowds)
	if p == nil || !p.gone && crowds[p.group] < crowds[own] {
		return nil
	}
	return p
}

// firstToYield returns the place that makes room before all others, or nil if there is none.
func firstToYield(open []*place, crowds map[string]int) *place {
	if len(open) == 0 {
		return nil
	}
	as := func(p *place) applicant { return applicant{refused: p.gone, crowd: crowds[p.group], born: p.born} }
	return slices.MinFunc(open, func(a, b *place) int { return as(a).compare(as(b)) })
}

// applicants returns the inbound places whose peers have not been let in, and how many there are of each address group,
// with those that wait for a place.
func (r *registry) applicants() (open []*place, crowds map[string]int) {
	crowds = make(map[string]int)
	for _, p := range r.places {
		switch {
		case p.heir != nil:
			crowds[addressGroup(p.heir.remote)]++
		case p.dial != nil:
		case p.direction == Inbound && p.conn == nil:
			open = append(open, p)
			crowds[p.group]++
		}
	}
	return open, crowds
}

// inherit gives the place of a connection that has made room to the one that it was ended for.
func (r *registry) inherit(ctx actor.Context, p *place) {
	switch {
	case p.heir != nil:
		r.leaveGroup(addressGroup(p.heir.remote))
		reply := r.reply
		r.reply = p.heir.reply
		r.onAdmission(ctx, p.heir.admission)
		r.reply = reply
	case p.dial != nil:
		r.resumeTarget(ctx, p.dial)
	}
}

// enterGroup counts one more from an address group, leaveGroup one fewer. An empty one is not counted.
func (r *registry) enterGroup(group string) {
	if group != "" {
		r.groups[group]++
	}
}

func (r *registry) leaveGroup(group string) {
	if group == "" {
		return
	}
	if r.groups[group]--; r.groups[group] == 0 {
		delete(r.groups, group)
	}
}
