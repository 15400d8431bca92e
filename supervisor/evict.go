package supervisor

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// The allowlist can be checked only during the handshake, which needs a slot. If slots are reserved for the allowlist
// and all slots are taken, the registry evicts an inbound connection that is still in its handshake and gives the slot
// to the waiting admission. Admitted peers leave the reserved slots free, see judgePeer. An attacker can evict an
// allowlisted peer during its handshake only with as many connections, in this short time, as there are such slots,
// each from another address.
//
//	all slots taken ──evictFor──▶ victim.successor = admission ──Terminated──▶ handOver: admit the successor

// successor is an admission that waits for the slot of an evicted connection.
type successor struct {
	*admission
	reply func(answer any)
}

// evictFor evicts a handshake for an admission. It returns false if there is no victim.
func (r *registry) evictFor(ctx actor.Context, adm *admission) bool {
	s := r.victimFor(adm)
	if s == nil {
		return false
	}
	s.successor = &successor{admission: adm, reply: r.takeReply()}
	// The waiting admission counts too: otherwise a burst from one address would exceed its limit.
	r.countAddress(addressGroup(adm.remote))
	r.evict(ctx, s, adm.remote)
	return true
}

// evictForDial evicts a handshake for an outbound dial, which starts when the slot is free. It returns false if there
// is no victim. Half-open inbound handshakes must not keep this node from dialling.
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

// evict stops a connection. remote is the address that gets its slot.
func (r *registry) evict(ctx actor.Context, s *slot, remote string) {
	if !s.closed {
		r.node.Counters.Inc(actors.HandshakesRejected)
		r.node.LimitedLog.Warn("handshake evicted: another connection needs its slot", "for", remote)
	}
	ctx.Stop(s.pid)
}

// victimFor returns the slot to evict for an admission, or nil.
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

// chooseVictim returns the first slot in the order of handshake.compare, or nil if there is none.
func chooseVictim(candidates []*slot, perAddress map[string]int) *slot {
	if len(candidates) == 0 {
		return nil
	}
	as := func(s *slot) handshake {
		return handshake{closing: s.closed, perAddress: perAddress[s.group], born: s.born}
	}
	return slices.MinFunc(candidates, func(a, b *slot) int { return as(a).compare(as(b)) })
}

// handshaking returns the inbound slots that are still in their handshake, and the number per address group, waiting
// admissions included.
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

// handOver gives the slot of an evicted connection to its successor.
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

// countAddress adds one to the count of an address group; uncountAddress subtracts one. The group "" is not counted.
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
