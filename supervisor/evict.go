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

// successor is an admission that waits for the slot of a connection that is ended for it.
type successor struct {
	*admission
	reply func(answer any)
}

// evictFor ends a place for a newcomer, which gets it once it is free, and reports whether there is one.
func (r *registry) evictFor(ctx actor.Context, adm *admission) bool {
	s := r.victimFor(adm)
	if s == nil {
		return false
	}
	s.successor = &successor{admission: adm, reply: r.takeReply()}
	r.countAddress(addressGroup(adm.remote)) // while it waits, too: else a hundred at once would be within the limit
	r.evict(ctx, s, adm.remote)
	return true
}

// evictForDial ends a place for a dial of our own, which begins once the place is free, and reports whether there is
// one: half-open handshakes of strangers must not keep this node from dialling.
func (r *registry) evictForDial(ctx actor.Context, t *dialTarget) bool {
	if r.cfg.ReservedConns == 0 || len(r.slots) > r.cfg.MaxConns {
		return false
	}
	for _, s := range r.slots {
		if s.successorDial == t {
			return true
		}
	}
	candidates, perAddress := r.handshaking()
	s := chooseVictim(candidates, perAddress)
	if s == nil {
		return false
	}
	s.successorDial = t
	r.evict(ctx, s, t.address)
	return true
}

// evict stops a connection whose place is needed.
func (r *registry) evict(ctx actor.Context, s *slot, newcomer string) {
	if !s.closed {
		r.node.Counters.Inc(actors.HandshakesRejected)
		r.node.LimitedLog.Warn("handshake ended: its place is needed", "newcomer", newcomer)
	}
	ctx.Stop(s.pid)
}

// victimFor returns the place that makes room for a newcomer; nil: none does.
func (r *registry) victimFor(adm *admission) *slot {
	if r.cfg.ReservedConns == 0 || len(r.slots) > r.cfg.MaxConns {
		return nil
	}
	candidates, perAddress := r.handshaking()
	own := addressGroup(adm.remote)
	perAddress[own]++
	s := chooseVictim(candidates, perAddress)
	if s == nil || !s.closed && perAddress[s.group] < perAddress[own] {
		return nil
	}
	return s
}

// chooseVictim returns the place that makes room before all others, or nil if there is none.
func chooseVictim(candidates []*slot, perAddress map[string]int) *slot {
	if len(candidates) == 0 {
		return nil
	}
	as := func(s *slot) handshake {
		return handshake{closing: s.closed, perAddress: perAddress[s.group], born: s.born}
	}
	return slices.MinFunc(candidates, func(a, b *slot) int { return as(a).compare(as(b)) })
}

// handshaking returns the inbound places whose peers have not been let in, and how many there are of each address group,
// with those that wait for a place.
func (r *registry) handshaking() (candidates []*slot, perAddress map[string]int) {
	perAddress = make(map[string]int)
	for _, s := range r.slots {
		switch {
		case s.successor != nil:
			perAddress[addressGroup(s.successor.remote)]++
		case s.successorDial != nil:
		case s.direction == Inbound && s.conn == nil:
			candidates = append(candidates, s)
			perAddress[s.group]++
		}
	}
	return candidates, perAddress
}

// handOver gives the place of a connection that has made room to the one that it was ended for.
func (r *registry) handOver(ctx actor.Context, s *slot) {
	switch {
	case s.successor != nil:
		r.uncountAddress(addressGroup(s.successor.remote))
		reply := r.reply
		r.reply = s.successor.reply
		r.onAdmission(ctx, s.successor.admission)
		r.reply = reply
	case s.successorDial != nil:
		r.resumeTarget(ctx, s.successorDial)
	}
}

// countAddress counts one more from an address group, leaveGroup one fewer. An empty one is not counted.
func (r *registry) countAddress(group string) {
	if group != "" {
		r.perAddress[group]++
	}
}

func (r *registry) uncountAddress(group string) {
	if group == "" {
		return
	}
	if r.perAddress[group]--; r.perAddress[group] == 0 {
		delete(r.perAddress, group)
	}
}
