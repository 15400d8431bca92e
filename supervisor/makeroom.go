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

// makeRoom ends a place for a newcomer, which gets it once it is free, and reports whether there is one.
func (r *registry) makeRoom(ctx actor.Context, newcomer *admission) bool {
	p := r.yielding(newcomer)
	if p == nil {
		return false
	}
	if !p.gone {
		r.node.Counters.Inc(actors.HandshakesRejected)
		r.node.Samples.Warn("handshake ended: its place is needed", "newcomer", newcomer.remote)
	}
	p.heir = newcomer
	r.enterGroup(addressGroup(newcomer.remote)) // while it waits, too: else a hundred at once would be within the limit
	ctx.Stop(p.pid)
	return true
}

// yielding returns the place that makes room for a newcomer; nil: none does.
func (r *registry) yielding(newcomer *admission) *place {
	if r.cfg.ReservedConns == 0 || len(r.places) > r.cfg.MaxConns {
		return nil
	}
	open, crowds := r.applicants()
	if len(open) == 0 {
		return nil
	}
	own := addressGroup(newcomer.remote)
	crowds[own]++
	as := func(p *place) applicant { return applicant{refused: p.gone, crowd: crowds[p.group], born: p.born} }
	p := slices.MinFunc(open, func(a, b *place) int { return as(a).compare(as(b)) })
	if !p.gone && crowds[p.group] < crowds[own] {
		return nil
	}
	return p
}

// applicants returns the inbound places whose peers have not been let in, and how many there are of each address group,
// with those that wait for a place.
func (r *registry) applicants() (open []*place, crowds map[string]int) {
	crowds = make(map[string]int)
	for _, p := range r.places {
		switch {
		case p.heir != nil:
			crowds[addressGroup(p.heir.remote)]++
		case p.direction == Inbound && p.conn == nil:
			open = append(open, p)
			crowds[p.group]++
		}
	}
	return open, crowds
}

// inherit gives the place of one that has made room to whom it was ended for.
func (r *registry) inherit(ctx actor.Context, p *place) {
	if p.heir == nil {
		return
	}
	r.leaveGroup(addressGroup(p.heir.remote))
	r.onAdmission(ctx, p.heir)
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
