package supervisor

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// duplicateGrace is how long the node with the larger id waits for the other one to close a duplicate.
const duplicateGrace = 10 * time.Second

// peerState is the registry's state of a peer with at least one open connection. Its connections are in registry.peers,
// the one that carries the traffic first.
//
//	newcomer proves itself ──judgeNewcomer──▶ moves:     route = newcomer
//	                                          stays:     newcomer is a duplicate
//	                                          contested: route is probed, messages go out on both
//	                                                       Alive   ──▶ all others are duplicates
//	                                                       Doubted ──▶ the best of the others is the route
type peerState struct {
	route     *slot          // carries the peer's traffic; nil: no connection is verified
	contested bool           // whether the route lives is not known yet
	announced announcedState // what the events have said of the peer
	probes    *probes        // nil: none was sent
	timer     *time.Timer
}

// probes are the times of the probes of a peer's routes.
type probes struct {
	sent     time.Time // the last one
	answered time.Time // when the present route last answered one; zero: not yet
}

// announcedState is what a program knows of a peer by its events.
type announcedState uint8

const (
	announcedNothing announcedState = iota
	announcedUp                     // PeerUp without a proof
	announcedVerified
)

func (r *registry) state(id string) *peerState {
	state := r.states[id]
	if state == nil {
		state = &peerState{}
		r.states[id] = state
	}
	return state
}

// contestRoute decides who carries the traffic after p has proven itself or has lost or regained its life.
func (r *registry) contestRoute(ctx actor.Context, s *slot) {
	id := s.conn.peer.ID
	state := r.state(id)
	if state.route == nil || state.route == s || state.route.closed {
		r.reroute(ctx, id)
		return
	}
	if s.direction == Outbound && state.route.rank.exact() && s.born.After(state.route.rank.bound) {
		s.rank.late = true
	}
	verdict := judgeContest(state.route.rank, s.rank)
	if s.further != "" {
		verdict = routeStays // opened beside a living connection on purpose
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

// probe asks the connection that carries a peer's traffic for a sign of life, at most once in a ping interval. A
// contest that begins sooner waits for the next probe.
func (r *registry) probe(ctx actor.Context, id string) {
	state := r.states[id]
	if state == nil || !state.contested || state.route == nil {
		return
	}
	if state.probes == nil {
		state.probes = &probes{}
	} else if wait := r.cfg.PingInterval - time.Since(state.probes.sent); wait > 0 {
		r.scheduleRoute(id, state, wait)
		return
	}
	state.probes.sent = time.Now()
	ctx.Send(state.route.pid, &actors.Probe{})
}

// onAlive is a sign of life of a probed connection.
func (r *registry) onAlive(ctx actor.Context, s *slot) {
	s.rank.living = true
	if state := r.state(s.conn.peer.ID); state.route == s {
		state.contested = false
		if state.probes != nil {
			state.probes.answered = time.Now()
		}
	}
	r.reroute(ctx, s.conn.peer.ID)
}

// onDoubted is a probe without an answer.
func (r *registry) onDoubted(ctx actor.Context, s *slot) {
	state := r.states[s.conn.peer.ID]
	r.order++
	s.rank.living, s.rank.order = false, r.order
	if state.route != s {
		return
	}
	id := s.conn.peer.ID
	r.reorder(id)
	// Whether the next one lives is not known either, as long as there is another.
	if state.contested = len(r.rivals(id)) > 0; state.contested {
		r.publish(id)
		r.probe(ctx, id)
	} else {
		r.closeDuplicates(ctx, id)
	}
	if state.route != s && s.rank.exact() {
		ctx.Send(s.pid, &actors.CloseGracefully{End: actors.End{
			Code: wire.DisconnectTimeout, Reason: "no answer to a probe; another connection took over",
		}})
	}
}

// reroute puts a peer's connections in order, publishes the first verified one as its route, and closes duplicates.
func (r *registry) reroute(ctx actor.Context, id string) {
	r.reorder(id)
	r.closeDuplicates(ctx, id)
}

// reorder puts the connection that carries a peer's traffic first.
func (r *registry) reorder(id string) {
	list := r.peers[id]
	if len(list) == 0 {
		delete(r.peers, id)
		r.forgetState(id)
		r.routes.remove(id)
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
	r.publish(id)
	if before != nil && next != nil && before != next {
		next.conn.delivery.Event(PeerMoved{Peer: id, Name: next.conn.peer.Name, From: before.conn.number, To: next.conn.number})
	}
}

// rivals returns the living connections of which one takes over if a peer's route is dead.
func (r *registry) rivals(id string) (list []*slot) {
	route := r.state(id).route
	for _, s := range r.peers[id] {
		if route != nil && s != route && s.rank.strength >= route.rank.strength && s.rank.living && s.rank.framed && s.further == "" {
			list = append(list, s)
		}
	}
	return list
}

// publish writes the route of a peer into the route table.
func (r *registry) publish(id string) {
	state := r.state(id)
	if state.route == nil {
		r.routes.setUnverified(id)
		return
	}
	var alternates []*PeerConnection
	if state.contested {
		for _, s := range r.rivals(id) {
			alternates = append(alternates, s.conn)
		}
	}
	r.routes.set(id, state.route.conn, alternates)
}

func (r *registry) forgetState(id string) {
	if state := r.states[id]; state != nil {
		if state.timer != nil {
			state.timer.Stop()
		}
		delete(r.states, id)
	}
}

// scheduleRoute has the registry look at a peer again after a while: for a probe, or for a duplicate that the other side
// has not closed.
func (r *registry) scheduleRoute(id string, state *peerState, wait time.Duration) {
	if state.timer != nil {
		state.timer.Stop()
	}
	state.timer = time.AfterFunc(wait, func() { r.node.System.Root.Send(r.self, &routeDue{peer: id}) })
}

// onRouteDue is the timer of lookAgain.
func (r *registry) onRouteDue(ctx actor.Context, id string) {
	state := r.states[id]
	if state == nil {
		return
	}
	state.timer = nil
	if state.contested {
		r.probe(ctx, id)
		return
	}
	r.yieldDuplicates(ctx, id)
}

// closeDuplicates closes a peer's further bound connections for sending: at once by the node with the smaller id, by
// the other one only after a grace period. The grace period is left out after a duplicate from another host that the
// other side did not close: one of two hosts with the same identity sees only its own connection. A deployed node
// would forget us altogether, so towards one they stay open.
func (r *registry) closeDuplicates(ctx actor.Context, id string) {
	r.noteUnmarked(id)
	if len(r.duplicates(id)) == 0 {
		return
	}
	if r.node.Keys.Identity().ID < id || r.conflicts[id].suspected(time.Now()) {
		r.yieldDuplicates(ctx, id)
		return
	}
	if state := r.states[id]; state.timer == nil {
		r.scheduleRoute(id, state, duplicateGrace)
	}
}

func (r *registry) yieldDuplicates(ctx actor.Context, id string) {
	for _, s := range r.duplicates(id) {
		reason := actors.ReasonDuplicate
		if r.noteDuplicate(s) {
			reason = actors.ReasonIdentityInUse
		}
		ctx.Send(s.pid, &actors.Yield{Reason: reason})
	}
}

// duplicates returns the connections of a peer that both ends know to be superfluous.
func (r *registry) duplicates(id string) (list []*slot) {
	state := r.states[id]
	if state == nil || state.route == nil || state.contested || !state.route.rank.exact() {
		return nil
	}
	for _, s := range r.peers[id] {
		if s != state.route && s.rank.exact() && slices.Contains(s.features, wire.FeatureSingleConnection) {
			list = append(list, s)
		}
	}
	return list
}
