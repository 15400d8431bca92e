package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// duplicateGrace is how long the node with the larger id waits for the other node to close a duplicate.
const duplicateGrace = 10 * time.Second

// peerState is the registry's state of a peer with at least one open connection. The connections are in registry.peers,
// the route first. A connection that becomes verified while another one is the route contends for it:
//
//	contender is verified ──judgeContest──▶ moves:     the contender becomes the route
//	                                        stays:     the contender is a duplicate
//	                                        contested: the registry probes the route; messages go out on both
//	                                                     Alive   ──▶ the contender is a duplicate
//	                                                     Doubted ──▶ the best of the others becomes the route
//
// Bound duplicates are closed: at once by the node with the smaller id, after duplicateGrace by the other node.
type peerState struct {
	route     *slot          // nil: no connection is verified
	contested bool           // the route has a contender and has not answered the probe yet
	announced announcedState // the last event about the peer
	probes    *probes        // nil: no probe was sent
	timer     *time.Timer
	heldSends []heldSend // wait for the end of a hold
	claim     *claim     // never nil; without a cluster registry.noClaim
}

// probes holds the times of the probes of a peer's routes.
type probes struct {
	sent     time.Time // the last probe
	answered time.Time // last answer of the present route; zero: none
}

// announcedState is the state of a peer that the program knows from events.
type announcedState uint8

const (
	announcedNothing announcedState = iota
	announcedUp                     // PeerUp with Verified false
	announcedVerified
)

func (r *registry) state(id string) *peerState {
	state := r.states[id]
	if state == nil {
		state = &peerState{claim: &r.noClaim}
		if r.cluster != nil {
			state.claim = &claim{}
		}
		r.states[id] = state
	}
	return state
}

// contestRoute decides which connection is the route, after s became verified, answered a probe or missed one.
func (r *registry) contestRoute(ctx actor.Context, s *slot) {
	id := s.conn.peer.ID
	state := r.state(id)
	if state.route == nil || state.route == s || state.route.closed {
		r.reroute(ctx, id)
		return
	}
	r.judgeCrossing(state.route, s)
	verdict := judgeContest(state.route.rank, s.rank)
	if s.further != "" && !s.rank.isBound() { // a bound one shows that the peer is no longer a deployed node
		verdict = routeStays // it was opened beside a living connection on purpose
	}
	switch verdict {
	case routeMoves:
		r.reroute(ctx, id)
	case routeContested:
		if r.answeredProbe(state, s) {
			r.closeDuplicates(ctx, id)
			return
		}
		state.contested = true
		r.publish(id)
		r.probe(ctx, id)
	case routeStays:
		r.closeDuplicates(ctx, id)
	}
}

// judgeCrossing decides whether the dial of s may have crossed that of the route. The dialler of s knows when its dial
// began. The other node does not, and a relay can be dialled late: if this node has the larger ID, it keeps its route
// until the peer, which closes one of the two at once, has closed it, or until peerDecides has passed.
func (r *registry) judgeCrossing(route, s *slot) {
	switch {
	case s.rank.smaller && route.rank.smaller:
		s.rank.late = s.rank.late || route.rank.late // one node dialled both: neither crossed the other
	case s.direction == Outbound:
		s.rank.late = s.rank.late || route.rank.isBound() && s.born.After(route.rank.boundAt)
	case s.rank.smaller && crossed(route.rank, s.rank):
		s.rank.late = true
		s.peerDecides = time.Now().Add(r.cfg.PingInterval + r.cfg.PongTimeout + duplicateGrace)
	}
}

// probe asks the route of a peer for a sign of life, at most once per ping interval. A contest that begins sooner waits
// for the next probe.
func (r *registry) probe(ctx actor.Context, id string) {
	state := r.states[id]
	if state == nil || !state.contested && state.claim.contest == nil || state.route == nil {
		return
	}
	every := r.cfg.PingInterval
	if state.claim.contest != nil { // the peer has no route at the other member meanwhile
		every = min(every, contestProbes)
	}
	if state.probes == nil {
		state.probes = &probes{}
	} else if wait := every - time.Since(state.probes.sent); wait > 0 {
		r.scheduleRoute(id, state, wait)
		return
	}
	state.probes.sent = time.Now()
	ctx.Send(state.route.pid, &actors.Probe{})
}

// onAlive handles the answer to a probe.
func (r *registry) onAlive(ctx actor.Context, s *slot) {
	s.rank.living = true
	if state := r.state(s.conn.peer.ID); state.route == s {
		state.contested = false
		if state.probes != nil {
			state.probes.answered = time.Now()
		}
		if c := state.claim.contest; c != nil {
			c.answered = true
			r.refuseContest(s.conn.peer.ID, state)
		}
	}
	r.reroute(ctx, s.conn.peer.ID)
}

// onDoubted handles a missing answer to a probe.
func (r *registry) onDoubted(ctx actor.Context, s *slot) {
	state := r.states[s.conn.peer.ID]
	r.order++
	s.rank.living, s.rank.order = false, r.order
	if state.route != s {
		return
	}
	id := s.conn.peer.ID
	r.reorder(id)
	// If there is another rival, the new route must answer a probe as well.
	if state.contested = len(r.rivals(id)) > 0; state.contested {
		r.publish(id)
		r.probe(ctx, id)
	} else {
		r.closeDuplicates(ctx, id)
	}
	if state.route != s && s.rank.isBound() {
		ctx.Send(s.pid, &actors.CloseGracefully{End: actors.End{
			Code: wire.DisconnectTimeout, Reason: reasonDoubted,
		}})
	}
	if state.claim.contest != nil {
		r.judgeClaim(ctx, id, state)
	}
}

// reasonDoubted is the reason of a disconnect message on a connection that left a probe unanswered.
const reasonDoubted = "no answer to a probe; another connection took over"

// reroute selects the peer's route again, publishes it, and closes duplicates.
func (r *registry) reroute(ctx actor.Context, id string) {
	r.reorder(id)
	r.judgeClaimAgain(ctx, id)
	r.closeDuplicates(ctx, id)
}

// reorder moves the best verified connection of a peer to the front of its list and publishes it as the route.
func (r *registry) reorder(id string) {
	list := r.peers[id]
	if len(list) == 0 {
		delete(r.peers, id)
		r.routes.remove(id)
		r.forgetState(id)
		return
	}
	state, best := r.state(id), -1
	for i, s := range list {
		if s.rank.strength.Verified() && (best < 0 || s.rank.outranks(list[best].rank)) {
			best = i
		}
	}
	var next *slot
	if best >= 0 {
		next = list[best]
		copy(list[1:best+1], list[:best])
		list[0] = next
	}
	before := state.route
	if next != before {
		state.route, state.contested = next, false
		if state.probes != nil {
			state.probes.answered = time.Time{}
		}
	}
	r.updateClaim(id, state)
	r.publish(id)
	if before != nil && next != nil && before != next && r.serves(id) {
		r.bus.announce(next.conn, PeerMoved{
			Peer: id, Name: next.conn.peer.Name,
			From: before.conn.number, To: next.conn.number,
		})
	}
}

// rivals returns the living connections that can take over if the route of a peer is dead.
func (r *registry) rivals(id string) (list []*slot) {
	route := r.state(id).route
	for _, s := range r.peers[id] {
		if route != nil && s != route && s.rank.mayFollow(route.rank) && s.rank.living && s.rank.framed &&
			s.further == "" {
			list = append(list, s)
		}
	}
	return list
}

func (r *registry) forgetState(id string) {
	if state := r.states[id]; state != nil {
		r.endClaim(id, state.claim)
		if state.timer != nil {
			state.timer.Stop()
		}
		delete(r.states, id)
		r.resumeSends(state)
	}
}

// scheduleRoute sends routeDue after wait: a probe is due, or the other node has not closed a duplicate.
func (r *registry) scheduleRoute(id string, state *peerState, wait time.Duration) {
	if state.timer != nil {
		state.timer.Stop()
	}
	state.timer = time.AfterFunc(wait, func() { r.node.System.Root.Send(r.self, &routeDue{peer: id}) })
}

// onRouteDue handles the timer of scheduleRoute.
func (r *registry) onRouteDue(ctx actor.Context, id string) {
	state := r.states[id]
	if state == nil {
		return
	}
	state.timer = nil
	switch c := state.claim.contest; {
	case state.contested, c != nil && !c.answered:
		r.probe(ctx, id)
		return
	case c != nil:
		r.refuseContest(id, state)
	}
	r.yieldDuplicates(ctx, id)
}
