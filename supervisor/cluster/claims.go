package cluster

import (
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// askAgain is the time after which an undecided claim is sent to the holder again. The holder answers each time, also
// while it decides. A holder that does not answer for lostAfter counts as lost for this claim, even if its heartbeats
// arrive: the link to it may be cut in one direction.
const askAgain = 500 * time.Millisecond

// ownClaim is a claim of this member that is not decided.
type ownClaim struct {
	claim   supervisor.Claim
	decided func(supervisor.ClaimVerdict)
	id      uint64
	made    time.Time // on the clock of messages
	asked   *member   // nil: no member was asked
	askedAt time.Time // last question
	heardAt time.Time // last answer of the asked member, or first question; on the running clock
}

func (c *coordinator) onClaiming(msg *claiming) {
	made := c.local.Clock()
	if earlier := c.claims[msg.claim.Peer]; earlier != nil {
		made = earlier.made
		earlier.decided(supervisor.ClaimVerdict{})
	}
	c.claimIDs++
	delete(c.awaits, msg.claim.Peer)
	c.claims[msg.claim.Peer] = &ownClaim{claim: msg.claim, decided: msg.decided, id: c.claimIDs, made: made}
	c.retryClaim(msg.claim.Peer)
}

// retryClaims retries all undecided claims, after a member was lost, has left or has not answered.
func (c *coordinator) retryClaims() {
	for peer := range c.claims {
		c.retryClaim(peer)
	}
	for peer := range c.awaits {
		c.callFreed(peer)
	}
}

// callFreed reports to the registry, if it waits for that, that a peer has no home.
func (c *coordinator) callFreed(peer string) {
	if freed := c.awaits[peer]; freed != nil && c.directory.home(peer) == nil {
		delete(c.awaits, peer)
		freed()
	}
}

// retryClaim grants the undecided claim for a peer if no other member holds it, and otherwise asks the holder.
func (c *coordinator) retryClaim(peer string) {
	claim := c.claims[peer]
	if claim == nil || c.joined != nil || c.behind() {
		return
	}
	holder := c.directory.home(peer)
	now := time.Now()
	if claim.asked != holder {
		claim.asked, claim.askedAt, claim.heardAt = holder, time.Time{}, c.now()
	}
	switch {
	case holder == nil || holder == c.self || c.now().Sub(claim.heardAt) > lostAfter:
		c.grant(claim, -1)
	case now.Sub(claim.askedAt) >= askAgain:
		claim.askedAt = now
		c.probe(holder)
		c.tell(holder.name, &message{head: c.engine.head(kindClaim), id: claim.id, claim: claim.claim})
	}
}

// grant makes this member the home of a peer.
func (c *coordinator) grant(claim *ownClaim, tokens float64) {
	c.clock++
	peer := claim.claim.Peer
	delete(c.claims, peer)
	delete(c.yielded, peer)
	c.directory.set(peer, c.self, c.clock)
	c.askKeepers(peer, claim.made)
	c.queue(peer, change{term: c.clock})
	verdict := supervisor.ClaimVerdict{Granted: true, Term: c.clock, Tokens: tokens}
	if tokens < 0 {
		verdict.Tokens, verdict.Age = c.tokensOf(peer, time.Now())
	}
	claim.decided(verdict)
}

// askKeepers records that this member holds a peer from now on, and asks the members that may have kept the peer before
// whether they have entries. claimed is the time of the claim on the clock of messages.
func (c *coordinator) askKeepers(peer string, claimed time.Time) {
	for _, keeper := range c.engine.seen.granted(peer, claimed) {
		c.engine.check(keeper, &question{
			check: check{author: peer, anyEntries: true},
			done: func(answer checked, err error) {
				if err == nil {
					c.engine.seen.answered(peer, startOf{keeper, answer.boot}, answer.verdict != seenFresh)
				}
			},
		})
	}
}

func (c *coordinator) onReleasing(msg *releasing) {
	if term, own := c.directory.termOf(msg.peer, c.self); own && term == msg.term {
		c.free(msg.peer, msg.tokens)
	}
}

// free ends the granted claim of this member for a peer and announces the release.
func (c *coordinator) free(peer string, tokens float64) {
	delete(c.tokens, peer) // the bucket here is up to date
	delete(c.yielded, peer)
	c.directory.drop(peer, c.self)
	c.engine.seen.freed(peer)
	c.queue(peer, change{tokens: tokens})
}

// onClaim handles the claim of another member. If this member holds the peer, the registry decides.
func (c *coordinator) onClaim(msg *message) {
	peer := msg.claim.Peer
	_, own := c.directory.termOf(peer, c.self)
	current := c.contests[peer]
	_, yielded := c.yielded[peer]
	if !own || yielded || current != nil && current.from != msg.from {
		c.answer(msg, answerAgain, supervisor.ClaimVerdict{})
		return
	}
	c.answer(msg, answerWait, supervisor.ClaimVerdict{})
	if current != nil && current.head == msg.head && current.id == msg.id {
		return // sent again
	}
	c.contests[peer] = msg
	claim := msg.claim
	claim.Member = msg.from
	c.local.Contest(claim, func(verdict supervisor.ClaimVerdict) {
		c.engine.tell(&contested{by: msg, verdict: verdict})
	})
}

// onContested sends the registry's decision to the member that claims the peer, unless it has made a later claim since:
// the registry decides about that one, too.
func (c *coordinator) onContested(msg *contested) {
	claim := msg.by
	peer := claim.claim.Peer
	if c.contests[peer] != claim {
		return
	}
	delete(c.contests, peer)
	if !msg.verdict.Granted {
		c.answer(claim, answerRefused, msg.verdict)
		return
	}
	c.engine.forwarder.granted(peer, claim.from)
	c.answer(claim, answerGranted, supervisor.ClaimVerdict{Term: c.clock, Tokens: msg.verdict.Tokens})
	if _, own := c.directory.termOf(peer, c.self); own {
		c.yielded[peer] = time.Now()
	}
}

// freeYielded frees the peers whose claims the new home has not announced in time.
func (c *coordinator) freeYielded(now time.Time) {
	for peer, since := range c.yielded {
		if now.Sub(since) >= lostAfter {
			c.free(peer, -1)
		}
	}
}

func (c *coordinator) answer(claim *message, answer answer, verdict supervisor.ClaimVerdict) {
	c.tell(claim.from, &message{
		head: c.engine.head(kindVerdict), id: claim.id, claim: supervisor.Claim{Peer: claim.claim.Peer}, answer: answer,
		verdict: verdict,
	})
}

// onVerdict handles the answer to an own claim.
func (c *coordinator) onVerdict(msg *message) {
	claim := c.claims[msg.claim.Peer]
	if claim == nil || claim.id != msg.id || claim.asked == nil || claim.asked.name != msg.from {
		return
	}
	claim.heardAt = c.now()
	switch msg.answer {
	case answerGranted:
		if len(c.credible(claim.asked, []holding{{msg.claim.Peer, msg.verdict.Term}})) > 0 {
			c.clock = max(c.clock, msg.verdict.Term)
		}
		c.grant(claim, msg.verdict.Tokens)
	case answerRefused:
		delete(c.claims, msg.claim.Peer)
		claim.decided(supervisor.ClaimVerdict{Home: msg.from, InUse: msg.verdict.InUse})
	case answerAgain:
		claim.askedAt = time.Time{} // asked again at the next heartbeat, when the release has probably arrived
	case answerWait:
	}
}
