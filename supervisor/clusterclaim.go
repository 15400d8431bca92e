package supervisor

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// In a cluster a peer has one home, the member that serves it. A member claims each peer that proves its key, and until
// the verdict the peer is held: senders wait, no event is sent, no message of the peer is delivered.
//
//	none ──route──▶ pending ──granted──▶ held ─┐ Taken, or lost a contest
//	                   │ refused                ▼
//	                   └─────────────────▶ elsewhere ─the home ends─▶ pending
//
// In elsewhere, connections that announce single-connection are closed as duplicates. Others, to deployed nodes, stay
// open and only receive. The end of the last verified connection leads from each state to none.

// claimState is the state of this member's claim for a peer.
type claimState uint8

const (
	claimNone claimState = iota
	claimPending
	claimHeld
	claimElsewhere // another member is the home, or this one leaves the cluster
)

// claim is the registry's claim for a peer in a cluster. The zero value is claimNone.
type claim struct {
	state      claimState
	generation uint64   // number of the latest claim; verdicts about earlier ones are stale
	by         *slot    // the connection that claimed
	evidence   Claim    // its rank then: Strength and Framed
	term       uint64   // held: of the granted claim
	home       string   // elsewhere: the member
	contest    *contest // of another member; nil: none
}

// serves reports whether this member is the home of a peer, or may become it without asking: there is no cluster.
func (r *registry) serves(id string) bool {
	if r.cluster == nil {
		return true
	}
	state := r.states[id]
	return state != nil && state.claim.state == claimHeld
}

// updateClaim claims a peer whose route is new or has better evidence than the claim before, and releases a peer
// without a route.
func (r *registry) updateClaim(id string, state *peerState) {
	switch {
	case r.cluster == nil:
	case state.route == nil:
		r.endClaim(id, state.claim)
	case state.claim.due(state.route):
		r.makeClaim(id, state)
	}
}

// due reports whether a claim must be made for a route.
func (c *claim) due(route *slot) bool {
	better := route.rank.framed && !c.evidence.Framed || route.rank.strength > c.evidence.Strength
	switch c.state {
	case claimHeld:
		return false
	case claimNone:
		return true
	default:
		return better || route.rank.isBound() && route != c.by
	}
}

func (r *registry) makeClaim(id string, state *peerState) {
	made := state.claim
	r.claimNumber++
	r.node.Counters.Inc(actors.ClusterClaims)
	made.generation, made.by = r.claimNumber, state.route
	r.setClaim(id, made, claimPending, "")
	made.evidence = claimOf(id, state.route, time.Now())
	decided := &claimDecided{peer: id, generation: made.generation}
	r.cluster.Claim(made.evidence, func(verdict ClaimVerdict) {
		decided.verdict = verdict
		r.node.System.Root.Send(r.self, decided)
	})
}

// endClaim releases a peer whose last verified connection has ended.
func (r *registry) endClaim(id string, c *claim) {
	if c.state == claimHeld {
		r.cluster.Release(id, c.term, r.tokensOf(c.by))
	}
	c.endContest(r.tokensOf(c.by))
	r.setClaim(id, c, claimNone, "")
	*c = claim{}
}

// endContest grants the claim of another member, because this one no longer serves the peer.
func (c *claim) endContest(tokens float64) {
	if c.contest != nil {
		c.contest.decide(ClaimVerdict{Granted: true, Tokens: tokens})
		c.contest = nil
	}
}

// onClaimDecided handles the verdict about a claim.
func (r *registry) onClaimDecided(ctx actor.Context, msg *claimDecided) {
	state := r.states[msg.peer]
	if state == nil || state.claim.state != claimPending || state.claim.generation != msg.generation {
		if msg.verdict.Granted {
			r.cluster.Release(msg.peer, msg.verdict.Term, r.left(msg.verdict))
		}
		return
	}
	if !msg.verdict.Granted {
		reason := reasonDuplicate
		if msg.verdict.InUse {
			reason = reasonIdentityInUse
		}
		r.yieldPeer(ctx, msg.peer, msg.verdict.Home, reason)
		return
	}
	if !r.book.Authorized(state.claim.by.key) || r.suspended(msg.peer) {
		// Another member has revoked the peer meanwhile. Its connections are being closed.
		r.setClaim(msg.peer, state.claim, claimElsewhere, "")
		r.cluster.Release(msg.peer, msg.verdict.Term, r.left(msg.verdict))
		return
	}
	state.claim.term = msg.verdict.Term
	r.setClaim(msg.peer, state.claim, claimHeld, "")
	r.takeOverTokens(state.route, msg.verdict)
	r.publish(msg.peer)
	for _, s := range slices.Clone(r.peers[msg.peer]) {
		if s.rank.strength.Verified() {
			r.announceUp(s)
			r.settle(ctx, s)
		}
	}
}

// settle completes the opening of a connection that has been verified, once the claim for its peer is decided.
func (r *registry) settle(ctx actor.Context, s *slot) {
	id := s.conn.peer.ID
	if !r.serves(id) {
		if state := r.states[id]; state != nil && state.claim.state == claimElsewhere {
			r.yieldConnection(ctx, s, state.claim.home, reasonDuplicate)
		}
		return
	}
	if !s.settled {
		s.settled = true
		r.onDialOpen(ctx, s)
	}
	r.verifiedOpened(ctx, s)
	r.answerVerified(ctx, s)
}

// answerVerified answers the last Verified of a connection, unless the claim for its peer is undecided.
func (r *registry) answerVerified(ctx actor.Context, s *slot) {
	if s.unanswered == nil {
		return
	}
	if state := r.states[s.conn.peer.ID]; r.cluster != nil && (state == nil || state.claim.state < claimHeld) {
		return
	}
	ctx.Send(s.pid, s.unanswered)
	s.unanswered = nil
}

// yieldPeer gives a peer up: another member is its home. reason is that of the disconnect messages.
func (r *registry) yieldPeer(ctx actor.Context, id, home, reason string) {
	state := r.states[id]
	served := state.claim.state == claimHeld
	r.setClaim(id, state.claim, claimElsewhere, home)
	state.claim.endContest(r.tokensOf(state.route))
	r.publish(id)
	if served {
		r.node.Counters.Inc(actors.ClusterTaken)
	}
	if served && state.announced != announcedNothing {
		state.announced = announcedNothing
		r.bus.announce(state.route.conn, PeerDown{
			Peer: id, Name: state.route.conn.peer.Name, Code: wire.DisconnectNormal, Reason: reasonDuplicate,
			Member: r.transport.Member(), MovedTo: home,
		})
	}
	for _, s := range slices.Clone(r.peers[id]) {
		if s.rank.strength.Verified() {
			r.yieldConnection(ctx, s, home, reason)
		}
	}
	r.awaitFree(id)
}

// yieldConnection closes a connection of a peer whose home is another member, or limits it to receiving.
func (r *registry) yieldConnection(ctx actor.Context, s *slot, home, reason string) {
	fresh := !s.settled
	if t := s.target; t != nil && fresh {
		r.setTargetPeers(t, t.expect, s.conn.peer.ID) // it is not dialled again while it has a home
		r.answerCallers(t, &Connected{Err: peerError(t.address, &OtherMemberError{Member: home})})
	}
	switch duplicate := s.rank.isBound() && announcesSingle(s); {
	case duplicate && fresh: // its messages have waited, and are dropped
		ctx.Send(s.pid, &actors.CloseGracefully{End: actors.End{
			Code: wire.DisconnectNormal, Reason: reason, Err: &OtherMemberError{Member: home},
		}})
	case duplicate && !s.rank.living:
		ctx.Send(s.pid, &actors.CloseGracefully{End: actors.End{Code: wire.DisconnectTimeout, Reason: reasonDoubted}})
	case duplicate:
		ctx.Send(s.pid, &actors.Yield{Reason: reason})
	default:
		r.receiveOnly(ctx, s)
	}
}

// receiveOnly keeps a connection to a deployed node, whose end would make that node forget this one.
func (r *registry) receiveOnly(ctx actor.Context, s *slot) {
	if t := s.target; t != nil && !s.settled {
		s.reached, t.openedAt = true, time.Now()
		r.advance(ctx, t, dialOpened, nil)
		r.markDialled(t)
	}
	s.settled = true
	r.answerVerified(ctx, s)
}

// onClaimTaken gives up a peer that another member holds under a higher term.
func (r *registry) onClaimTaken(ctx actor.Context, msg *claimTaken) {
	state := r.states[msg.peer]
	if state == nil || state.claim.state != claimHeld || state.claim.term > msg.term {
		return
	}
	r.cluster.Release(msg.peer, state.claim.term, r.tokensOf(state.route))
	r.yieldPeer(ctx, msg.peer, msg.member, reasonDuplicate)
}
