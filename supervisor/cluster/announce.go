package cluster

import (
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

const (
	flushAfter = time.Millisecond // changes of this time are announced together
	joinWithin = 2 * time.Second

	listenFirst = 2 * beatEvery // before the first own message: two heartbeats of a member with the same name arrive
	joinAtOnce  = 3 * beatEvery // Join lasts at least this long, so that a heartbeat of each other member arrives
)

// announce publishes a message in the sequence of this member. If it is lost, the other members notice the gap.
func (c *coordinator) announce(msg *message) {
	c.self.next++
	msg.seq = c.self.next
	c.publish(c.engine.subject("dir"), msg)
}

// tell sends a message to one member.
func (c *coordinator) tell(name string, msg *message) {
	c.publish(c.engine.subject("m", name, "in"), msg)
}

func (c *coordinator) publish(subject string, msg *message) {
	if err := c.engine.bus.Publish(subject, msg.encode()); err != nil {
		c.engine.opts.Log.Warn("a message to other members was not sent", "error", err)
	}
}

// change is a granted claim of this member, or its end.
type change struct {
	term   uint64  // 0: released
	tokens float64 // released: left in the peer's bucket; negative: unknown
}

// queue announces a change of an own claim soon.
func (c *coordinator) queue(peer string, what change) {
	c.pending[peer] = what
	if !c.flushing {
		c.flushing = true
		time.AfterFunc(flushAfter, func() { c.engine.tell(&flush{}) })
	}
}

// flush announces all queued changes.
func (c *coordinator) flush() {
	c.flushing = false
	update := &message{head: c.engine.head(kindUpdate)}
	for peer, what := range c.pending {
		if what.term == 0 {
			update.releases = append(update.releases, release{peer, what.tokens})
		} else {
			update.claims = append(update.claims, holding{peer, what.term})
		}
		if len(update.claims) == maxChanges || len(update.releases) == maxChanges {
			c.announce(update)
			update = &message{head: c.engine.head(kindUpdate)}
		}
	}
	if len(update.claims)+len(update.releases) > 0 {
		c.announce(update)
	}
	clear(c.pending)
}

// onBeat announces the state of this member, judges the others, expires old state, and retries undecided claims.
func (c *coordinator) onBeat() {
	if c.beats != nil {
		c.beats.Stop()
	}
	c.beats = time.AfterFunc(beatEvery, func() { c.engine.tell(&beat{}) })
	c.announceState()
	c.judgeSilence()
	now := time.Now()
	c.dropSnapshots(now)
	c.directory.expireLog(now)
	c.freeYielded(now)
	c.considerMembers()
	c.engine.seen.expire()
	c.expireTokens(now)
	c.retryClaims()
	c.considerJoin()
}

// announceState sends the heartbeat.
func (c *coordinator) announceState() {
	connections, limit := c.local.Load()
	state := supervisor.MemberAlive
	if c.drains {
		state = supervisor.MemberDraining
	}
	crash, crashAhead := c.engine.seen.crashAge()
	c.self.beat = heartbeat{
		state: state, connections: uint64(max(connections, 0)), limit: uint64(max(limit, 0)),
		address: c.engine.opts.Address, book: c.local.RecordDigest(), clock: c.local.Clock().UnixNano(),
		crash: crash, crashAhead: crashAhead,
	}
	c.announce(&message{head: c.engine.head(kindHeartbeat), beat: c.self.beat})
}

// judgeSilence marks silent members as lost, and removes those that were lost for long.
func (c *coordinator) judgeSilence() {
	now := c.now()
	for _, m := range c.directory.members {
		switch silent := now.Sub(m.heard); {
		case m == c.self:
		case !m.lost && silent > lostAfter:
			c.lose(m)
		case m.lost && silent > forgetAfter:
			c.forget(m)
		}
	}
}

// considerJoin ends Join when the claims of all other members are known, after joinWithin at the latest, but not before
// the first heartbeat.
func (c *coordinator) considerJoin() {
	left := time.Until(c.joinedAt)
	if c.joined == nil || c.beats == nil || left > joinWithin-joinAtOnce {
		return
	}
	for _, m := range c.directory.members {
		if (m.sync != nil || !m.lost && !m.behind.IsZero()) && left > 0 {
			return
		}
	}
	if len(c.directory.members) == 1 {
		c.engine.opts.Members.Info("no other member answers: this one runs alone until one does")
	}
	c.endJoin(nil)
}

// endJoin answers the call of Join, and retries the claims that were made during the call. It returns false if the call
// has ended.
func (c *coordinator) endJoin(err error) bool {
	if c.joined == nil {
		return false
	}
	c.engine.seen.join() // first: from the end of the call on, messages are checked
	c.joined(err)
	c.joined = nil
	c.retryClaims()
	return true
}
