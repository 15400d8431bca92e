package cluster

import (
	"errors"
	"slices"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// onHeard processes a message of a member.
func (c *coordinator) onHeard(in *heard) {
	msg, err := decode(in.body)
	if err != nil {
		c.engine.dropped(err)
	}
	switch {
	case errors.Is(err, errVersion):
		if !c.endJoin(ErrVersion) {
			c.engine.opts.Log.Warn("a message of a later version was ignored: update this member")
		}
		return
	case errors.Is(err, errEarlier):
		if !c.endJoin(ErrEarlier) {
			c.engine.opts.Log.Warn("a message of an earlier version was ignored: update the other member")
		}
		return
	case err != nil:
		c.engine.opts.Log.Warn("a message of a member was ignored", "error", err)
		return
	case msg.from == c.self.name && msg.boot == c.self.boot:
		return // the bus delivers own messages, too
	case msg.from == c.self.name:
		c.engine.refused()
		if !c.endJoin(ErrName) {
			c.engine.opts.Log.Warn("another member has the name of this one: give each member its own", "name", msg.from)
		}
		return
	}
	switch msg.kind {
	case kindUpdate, kindHeartbeat, kindGoodbye:
		c.onSequence(msg)
	case kindHandover:
		c.onHandover(msg)
	case kindCheck, kindChecked, kindBookPut, kindBookDone, kindBookSumsAsk, kindBookSums, kindBookAsk, kindBookPage,
		kindPage:
		c.engine.refused() // not on these subjects
	case kindClaim:
		c.onClaim(msg)
	case kindVerdict:
		c.onVerdict(msg)
	case kindSnapshot:
		c.onSnapshot(msg, in.respond)
	default:
		c.engine.unknown()
	}
}

// onSequence processes a message of a member's sequence.
func (c *coordinator) onSequence(msg *message) {
	m := c.memberOf(msg)
	switch {
	case m == nil:
		return
	case msg.kind == kindGoodbye:
		c.onGoodbye(m, msg)
		return
	case m.isPast(msg.boot):
		c.engine.refused()
		c.engine.opts.Log.Warn("two members have one name, and one of them is ignored: give each member its own",
			"name", m.name)
		return
	}
	if m.isUnderWay(msg.boot, c.now()) {
		return
	}
	changed := c.heardAlive(m, msg.boot)
	if msg.kind == kindHeartbeat {
		c.onHeartbeat(m, msg.beat)
	}
	switch m.judge(msg) {
	case stepRestart:
		c.restart(m, msg)
	case stepSync:
		c.synchronize(m, msg)
	case stepWait:
		c.keep(m, msg)
	case stepApply:
		c.apply(m, msg)
	case stepIgnore:
	}
	if changed {
		c.updateSeen()
	}
}

// memberOf returns the sender of a message, or nil if there are too many members.
func (c *coordinator) memberOf(msg *message) *member {
	m := c.directory.members[msg.from]
	if m != nil {
		return m
	}
	if len(c.directory.members) >= maxMembers {
		c.engine.refused()
		c.engine.opts.Log.Warn("too many members: one was ignored", "name", msg.from, "limit", maxMembers)
		return nil
	}
	m = &member{name: msg.from}
	c.directory.join(m)
	return m
}

func (c *coordinator) onGoodbye(m *member, msg *message) {
	if m.boot == 0 || m.boot == msg.boot { // otherwise it is late, from an earlier start
		c.noteHandover(m, msg)
		c.forget(m)
		c.engine.opts.Members.Info("a member has left", "name", m.name)
	}
}

// heardAlive records that a member is alive. It returns true if the member was lost or is another start.
func (c *coordinator) heardAlive(m *member, boot uint64) (changed bool) {
	m.heard = c.now()
	changed = m.lost || m.boot != boot
	m.gone = m.gone && m.boot != boot
	if changed {
		m.behind, m.fetchAt = time.Time{}, time.Time{}
		c.engine.opts.Members.Info("a member is alive", "name", m.name)
	}
	if m.lost {
		c.directory.setLost(m, false)
	}
	return changed
}

func (c *coordinator) onHeartbeat(m *member, beat heartbeat) {
	m.beat = beat
	c.compareClock(m)
	c.compareBook(m)
	c.engine.seen.noteClock(m.name, time.Unix(0, beat.clock).Sub(c.local.Clock()))
	c.engine.seen.heardCrash(m.name, beat.crash, beat.crashAhead)
}

// restart begins the sequence of another start of a member.
func (c *coordinator) restart(m *member, msg *message) {
	if m.boot != 0 {
		c.engine.forwarder.restarted(m.name, msg.boot)
	}
	c.engine.forwarder.ignore(m.name, m.boot)
	c.replace(m, nil)
	m.begin(msg.boot)
	c.synchronize(m, msg)
}

// apply processes the next message of a member's sequence.
func (c *coordinator) apply(m *member, msg *message) {
	m.next = msg.seq + 1
	for _, h := range msg.releases {
		c.drop(h.peer, m)
		c.noteTokens(h.peer, h.tokens, time.Now())
		c.retryClaim(h.peer)
		c.callFreed(h.peer)
	}
	refused := 0
	for _, h := range c.credible(m, msg.claims) {
		if c.directory.full(m, h.peer) {
			refused++
			continue
		}
		if home := c.directory.home(h.peer); home != nil && home != m && home != c.self {
			c.probe(home) // it may have been killed, with messages of this member under way to it
		}
		c.directory.set(h.peer, m, h.term)
		c.claimed(m, h)
	}
	if refused > 0 {
		c.engine.refused()
		c.engine.opts.Log.Warn("claims of a member were ignored: it has too many", "name", m.name, "ignored", refused,
			"limit", maxClaims)
	}
}

// replace makes claims all claims of a member.
func (c *coordinator) replace(m *member, claims []holding) {
	claims = c.credible(m, claims)
	for _, peer := range c.directory.missing(m, claims) {
		c.drop(peer, m)
	}
	c.directory.replace(m, claims)
	for _, h := range claims {
		c.claimed(m, h)
	}
	c.retryClaims()
}

// maxAhead limits a term: it may be this far above the highest one seen. A thousand claims a second reach it after 35
// years. Without the limit, one wrong message could leave no higher terms for all later claims.
const maxAhead = 1 << 40

// credible returns the claims of a member without those whose terms are zero or too far ahead.
func (c *coordinator) credible(m *member, claims []holding) []holding {
	wrong := func(h holding) bool { return h.term == 0 || h.term > c.clock && h.term-c.clock > maxAhead }
	if !slices.ContainsFunc(claims, wrong) {
		return claims
	}
	c.engine.opts.Log.Warn("claims of a member were ignored: their terms are zero or too far ahead", "name", m.name)
	return slices.DeleteFunc(slices.Clone(claims), wrong)
}

// claimed advances the clock to the term of another member's claim. If that claim wins against a granted claim of this
// member, it reports the connection here as taken.
func (c *coordinator) claimed(m *member, h holding) {
	c.clock = max(c.clock, h.term)
	term, own := c.directory.termOf(h.peer, c.self)
	if !own {
		return
	}
	c.engine.seen.ended(h.peer, m, true)
	ours := claimed{holder: c.self, term: term}
	if theirs := (claimed{holder: m, term: h.term}); !theirs.outranks(&ours) {
		return
	}
	if _, yielded := c.yielded[h.peer]; yielded {
		c.free(h.peer, -1)
		return
	}
	c.local.Taken(h.peer, m.name, h.term)
}

// lose marks a member as lost. Its claims count again at its next message.
func (c *coordinator) lose(m *member) {
	c.local.Count(actors.MembersLost)
	c.directory.setLost(m, true)
	m.gone = true
	c.engine.opts.Members.Warn("a member is lost: its peers are expected to dial the others", "name", m.name)
	c.engine.forwarder.lost(m.name)
	if m.sync != nil { // its claims are incomplete
		m.sync, m.next = nil, 0
		c.replace(m, nil)
	}
	c.updateSeen()
	c.retryClaims()
}

// forget removes a member that has left or was lost for forgetAfter.
func (c *coordinator) forget(m *member) {
	c.directory.leave(m)
	m.sync = nil
	c.replace(m, nil)
	c.updateSeen()
	c.engine.forwarder.forget(m.name)
}

// drop removes the claim of another member.
func (c *coordinator) drop(peer string, m *member) {
	if c.directory.drop(peer, m) {
		_, own := c.directory.termOf(peer, c.self)
		c.engine.seen.ended(peer, m, own)
	}
}

func (c *coordinator) updateSeen() {
	c.engine.seen.update(c.directory.members, c.now(), c.joined == nil)
}
