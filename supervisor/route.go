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
	route     *place    // carries the peer's traffic; nil: no connection is verified
	contested bool      // whether the route lives is not known yet
	told      toldState // what the events have said of the peer
	probes    *probes   // nil: none was sent
	timer     *time.Timer
}

// probes are the times of the probes of a peer's routes.
type probes struct {
	sent     time.Time // the last one
	answered time.Time // when the present route last answered one; zero: not yet
}

// toldState is what a program knows of a peer by its events.
type toldState uint8

const (
	toldNothing toldState = iota
	toldUp                // PeerUp without a proof
	toldVerified
)

func (r *registry) state(id string) *peerState {
	s := r.states[id]
	if s == nil {
		s = &peerState{}
		r.states[id] = s
	}
	return s
}

// settleRoute decides who carries the traffic after p has proven itself or has lost or regained its life.
func (r *registry) settleRoute(ctx actor.Context, p *place) {
	id := p.conn.peer.ID
	s := r.state(id)
	if s.route == nil || s.route == p || s.route.gone {
		r.reroute(ctx, id)
		return
	}
	if p.direction == Outbound && s.route.rank.exact() && p.born.After(s.route.rank.bound) {
		p.rank.late = true
	}
	verdict := judgeNewcomer(s.route.rank, p.rank)
	if p.further != "" {
		verdict = routeStays // opened beside a living connection on purpose
	}
	switch verdict {
	case routeMoves:
		r.reroute(ctx, id)
	case routeContested:
		if r.answersStill(s, p) {
			r.closeDuplicates(ctx, id)
			return
		}
		s.contested = true
		r.publish(id)
		r.probe(ctx, id)
	case routeStays:
		r.closeDuplicates(ctx, id)
	}
}

// probe asks the connection that carries a peer's traffic for a sign of life, at most once in a ping interval. A
// contest that begins sooner waits for the next probe.
func (r *registry) probe(ctx actor.Context, id string) {
	s := r.states[id]
	if s == nil || !s.contested || s.route == nil {
		return
	}
	if s.probes == nil {
		s.probes = &probes{}
	} else if wait := r.cfg.PingInterval - time.Since(s.probes.sent); wait > 0 {
		r.lookAgain(id, s, wait)
		return
	}
	s.probes.sent = time.Now()
	ctx.Send(s.route.pid, &actors.Probe{})
}

// onAlive is a sign of life of a probed connection.
func (r *registry) onAlive(ctx actor.Context, p *place) {
	p.rank.living = true
	if s := r.state(p.conn.peer.ID); s.route == p {
		s.contested = false
		if s.probes != nil {
			s.probes.answered = time.Now()
		}
	}
	r.reroute(ctx, p.conn.peer.ID)
}

// onDoubted is a probe without an answer.
func (r *registry) onDoubted(ctx actor.Context, p *place) {
	s := r.states[p.conn.peer.ID]
	r.order++
	p.rank.living, p.rank.order = false, r.order
	if s.route != p {
		return
	}
	id := p.conn.peer.ID
	r.reorder(id)
	// Whether the next one lives is not known either, as long as there is another.
	if s.contested = len(r.rivals(id)) > 0; s.contested {
		r.publish(id)
		r.probe(ctx, id)
	} else {
		r.closeDuplicates(ctx, id)
	}
	if s.route != p && p.rank.exact() {
		ctx.Send(p.pid, &actors.Goodbye{End: actors.End{
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
		r.directory.remove(id)
		return
	}
	s, best := r.state(id), -1
	for i, p := range list {
		if p.rank.strength.Verified() && (best < 0 || p.rank.outranks(list[best].rank)) {
			best = i
		}
	}
	var next *place
	if best >= 0 {
		next = list[best]
		copy(list[1:best+1], list[:best])
		list[0] = next
	}
	before := s.route
	if next != before {
		s.route, s.contested = next, false
		if s.probes != nil {
			s.probes.answered = time.Time{}
		}
	}
	r.publish(id)
	if before != nil && next != nil && before != next {
		next.conn.delivery.Event(PeerMoved{Peer: id, Name: next.conn.peer.Name, From: before.conn.number, To: next.conn.number})
	}
}

// rivals returns the living connections of which one takes over if a peer's route is dead.
func (r *registry) rivals(id string) (list []*place) {
	route := r.state(id).route
	for _, p := range r.peers[id] {
		if route != nil && p != route && p.rank.strength >= route.rank.strength && p.rank.living && p.rank.framed && p.further == "" {
			list = append(list, p)
		}
	}
	return list
}

// publish writes the route of a peer into the route table.
func (r *registry) publish(id string) {
	s := r.state(id)
	if s.route == nil {
		r.directory.wait(id)
		return
	}
	var twins []*PeerConnection
	if s.contested {
		for _, p := range r.rivals(id) {
			twins = append(twins, p.conn)
		}
	}
	r.directory.set(id, s.route.conn, twins)
}

func (r *registry) forgetState(id string) {
	if s := r.states[id]; s != nil {
		if s.timer != nil {
			s.timer.Stop()
		}
		delete(r.states, id)
	}
}

// lookAgain has the registry look at a peer again after a while: for a probe, or for a duplicate that the other side
// has not closed.
func (r *registry) lookAgain(id string, s *peerState, wait time.Duration) {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timer = time.AfterFunc(wait, func() { r.node.System.Root.Send(r.self, &settle{peer: id}) })
}

// onSettle is the timer of lookAgain.
func (r *registry) onSettle(ctx actor.Context, id string) {
	s := r.states[id]
	if s == nil {
		return
	}
	s.timer = nil
	if s.contested {
		r.probe(ctx, id)
		return
	}
	r.yield(ctx, id)
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
		r.yield(ctx, id)
		return
	}
	if s := r.states[id]; s.timer == nil {
		r.lookAgain(id, s, duplicateGrace)
	}
}

func (r *registry) yield(ctx actor.Context, id string) {
	for _, p := range r.duplicates(id) {
		reason := actors.ReasonDuplicate
		if r.noteDuplicate(p) {
			reason = actors.ReasonIdentityInUse
		}
		ctx.Send(p.pid, &actors.Yield{Reason: reason})
	}
}

// duplicates returns the connections of a peer that both ends know to be superfluous.
func (r *registry) duplicates(id string) (list []*place) {
	s := r.states[id]
	if s == nil || s.route == nil || s.contested || !s.route.rank.exact() {
		return nil
	}
	for _, p := range r.peers[id] {
		if p != s.route && p.rank.exact() && slices.Contains(p.features, wire.FeatureSingleConnection) {
			list = append(list, p)
		}
	}
	return list
}
