package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// contest is the claim of another member for a peer that this member holds. It is decided as the contest of two
// connections of one member is, except that messages go out on the route only.
type contest struct {
	claim  Claim
	rank   rank // of the claim's connection
	decide func(ClaimVerdict)

	against  *slot     // the route when it was judged
	answered bool      // the route has answered a probe
	until    time.Time // no refusal before: the peer decides between crossed dials; zero: at once
}

// contestProbes is the shortest time between two probes of a peer for claims of other members.
const contestProbes = time.Second

// claimOf returns the claim of a peer by a connection.
func claimOf(id string, s *slot, now time.Time) Claim {
	c := Claim{
		Peer: id, Strength: s.rank.strength, Framed: s.rank.framed, Smaller: s.rank.smaller,
		Expected: s.rank.preferred(), Born: now.Sub(s.born),
	}
	if s.rank.isBound() {
		c.Proven = now.Sub(s.rank.boundAt)
	}
	if !s.rank.isBound() && s.further == "" || s.rank.isBound() && announcesSingle(s) {
		c.Address = s.conn.peerAddress
	}
	return c
}

// rankOf returns the rank of another member's connection, which is later than the connections here.
func (r *registry) rankOf(c Claim, now time.Time) rank {
	id := c.Peer
	known, _ := r.book.Get(id)
	outbound := c.Smaller == (r.node.Keys.Identity().ID < id)
	r.order++
	made := rank{
		strength: c.Strength, framed: c.Framed, living: true, outbound: outbound, expected: c.Expected, smaller: c.Smaller,
		demoted: !outbound && known.Binds && c.Strength < Bound, order: r.order,
	}
	if made.isBound() {
		made.boundAt = now.Add(-c.Proven)
	}
	return made
}

// onClaimContested decides about the claim of another member. If that panics, the claim is refused, because the other
// member waits for the decision.
func (r *registry) onClaimContested(ctx actor.Context, msg *claimContested) {
	state := r.states[msg.claim.Peer]
	if r.leaving() || state == nil || state.claim.state != claimHeld {
		msg.decide(ClaimVerdict{Granted: true, Tokens: -1})
		return
	}
	if c := state.claim.contest; c != nil && c.claim.Member == msg.claim.Member {
		c.claim.Address, c.decide = msg.claim.Address, msg.decide // a later connection to the same member
		return
	}
	next, returned := &contest{claim: msg.claim, decide: msg.decide}, false
	state.claim.contest = next
	defer func() {
		if !returned && state.claim.contest == next {
			state.claim.contest = nil
			msg.decide(ClaimVerdict{})
		}
	}()
	now := time.Now()
	next.rank = r.rankOf(msg.claim, now)
	next.judgeCrossing(state.route.rank, now, r.cfg)
	r.judgeClaim(ctx, msg.claim.Peer, state)
	returned = true
}

// judgeCrossing is registry.judgeCrossing for the connection of another member.
func (c *contest) judgeCrossing(route rank, now time.Time, cfg *TransportConfig) {
	switch {
	case c.rank.smaller && route.smaller:
		c.rank.late = route.late
	case c.rank.outbound:
		c.rank.late = route.isBound() && now.Add(-c.claim.Born).After(route.boundAt)
	case c.rank.smaller && crossed(route, c.rank):
		c.rank.late = true
		c.until = now.Add(cfg.PingInterval + cfg.PongTimeout + duplicateGrace)
	}
}

// judgeClaim decides the contest of a peer by the ranks, or probes the route.
func (r *registry) judgeClaim(ctx actor.Context, id string, state *peerState) {
	c := state.claim.contest
	c.against, c.answered = state.route, false
	switch judgeContest(state.route.rank, c.rank) {
	case routeMoves:
		r.grantContest(ctx, id, state)
	case routeStays:
		r.refuseContest(id, state)
	case routeContested:
		if state.probes.answeredSince(time.Now().Add(-c.claim.Born)) {
			r.refuseContest(id, state) // an earlier contest has shown that the route lives
			return
		}
		r.probe(ctx, id)
	}
}

// answeredSince reports whether the present route has answered a probe after a time.
func (p *probes) answeredSince(t time.Time) bool { return p != nil && p.answered.After(t) }

// judgeClaimAgain judges the contest of a peer whose route has changed since: the new one was not probed.
func (r *registry) judgeClaimAgain(ctx actor.Context, id string) {
	if state := r.states[id]; state != nil && state.claim.contest != nil && state.claim.contest.against != state.route {
		r.judgeClaim(ctx, id, state)
	}
}

// grantContest makes the other member the home of a peer.
func (r *registry) grantContest(ctx actor.Context, id string, state *peerState) {
	c := state.claim.contest
	state.claim.contest = nil
	c.decide(ClaimVerdict{Granted: true, Tokens: r.tokensOf(state.route)})
	r.yieldPeer(ctx, id, c.claim.Member, reasonDuplicate)
}

// refuseContest keeps a peer, now or when the peer has had the time to decide between crossed dials.
func (r *registry) refuseContest(id string, state *peerState) {
	c := state.claim.contest
	if wait := time.Until(c.until); wait > 0 {
		r.scheduleRoute(id, state, wait)
		return
	}
	inUse := r.noteRefused(id, state)
	state.claim.contest = nil
	c.decide(ClaimVerdict{Home: r.cluster.Name(), InUse: inUse})
}
