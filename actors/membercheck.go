package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// A node of several members asks another one about some messages, which takes up to 250 ms. The actor does not wait:
//
//	verified    the message goes to the inbox at its place; the goroutine that delivers asks about all messages that
//	            wait there, and delivers or drops each
//	unverified  the message may be the proof, so it and the frames behind it wait here (proof.asking) for the answer

// Checker is the Deduplicator of a node of several members. Safe for concurrent use.
type Checker interface {
	Deduplicator
	// Judge is Seen, SeenInSession, or for an unverified connection Known. If a fresh message needs the answer of another
	// member, Judge returns its check.
	Judge(msg *wire.Message, o Origin, now time.Time) (Verdict, *Check)
	// Ask sets the verdicts of checks. It blocks for at most 250 ms.
	Ask(checks []*Check)
}

// Origin is the connection's knowledge about a message.
type Origin struct {
	Own       bool // the peer of the connection has made it
	Verified  bool // the connection
	Unclocked bool // a session protects it against replay, whatever the clock of the peer is
	// Ahead is the difference between the clock of the peer and that of this node, of an unclocked message.
	Ahead time.Duration
}

// Check is a message that another member is asked about.
type Check struct {
	Message *wire.Message
	Query   any // of the Checker
	Verdict Verdict
}

// members is the state of a connection of a node of several members.
type members struct {
	checker   Checker
	unchecked *Check        // of the message that is processed; nil: none
	ahead     time.Duration // clock of the peer minus ours, at the first message of a session
}

// undecided is the verdict about a message that waits for the answer of another member.
const undecided Verdict = -1

// seenByMembers is seen in a node of several members.
func (p *connection) seenByMembers(msg *wire.Message, at *moment) Verdict {
	if transportType(msg.Type) && p.proof.strength >= Bound {
		return p.seenHere(msg, at) // it belongs to this connection, and so does the evidence
	}
	o := Origin{Own: msg.From == p.peerID, Verified: p.proof.strength.Verified(), Unclocked: p.unclocked(msg)}
	if o.Unclocked {
		o.Ahead = p.members.ahead
	}
	if !o.Verified && p.proof.asking {
		return Unanswered // the connection ends
	}
	verdict, check := p.members.checker.Judge(msg, o, at.now)
	switch {
	case check == nil:
		return verdict
	case !o.Verified:
		p.askFirst(check)
		return undecided
	}
	p.members.unchecked = check
	return Fresh
}

// firstChecked is the answer about the message that may verify a connection.
type firstChecked struct {
	check *Check
	cost  int64
}

func (*firstChecked) fromPumps() {}

// askFirst asks about the message that may verify the connection.
func (p *connection) askFirst(check *Check) {
	p.proof.asking = true
	checker, handle, answer := p.members.checker, p.handle, &firstChecked{check, p.codec.cost()}
	p.node.Spawn(func() {
		checker.Ask([]*Check{check})
		handle.tell(answer)
	})
}

// onFirstChecked continues with the message that may verify the connection, and the frames behind it. A message that
// was not answered proves nothing.
func (p *connection) onFirstChecked(ctx actor.Context, answer *firstChecked) {
	if p.phase != open && p.phase != draining {
		p.node.Counters.Inc(MessagesAfterGoodbye)
		return
	}
	p.proof.asking = false
	msg, at := answer.check.Message, p.moment()
	verdict := answer.check.Verdict
	if verdict == Fresh {
		verdict = p.seenHere(msg, &at)
	}
	if p.accepts(ctx, msg, verdict, &at) {
		p.noteLife(ctx, msg, &at)
		p.inbound.grow(answer.cost)
		p.onMessage(ctx, msg, answer.cost)
	}
	p.resume(ctx, false)
}

// unchecked is a message in the inbox that is delivered if other members have not seen it.
type unchecked struct {
	check   *Check
	asked   bool
	checker Checker
	node    *Node
	handle  *Handle
	peerID  string
	inbox   *Inbox
}

// takeUnchecked returns the check of the message that is processed, for the inbox, or nil.
func (p *connection) takeUnchecked() *unchecked {
	if p.members == nil || p.members.unchecked == nil {
		return nil
	}
	check := p.members.unchecked
	p.members.unchecked = nil
	return &unchecked{
		check: check, checker: p.members.checker, node: p.node, handle: p.handle, peerID: p.peerID, inbox: p.inbox,
	}
}

// askAll asks about all messages of a batch that need it. The first item does.
func askAll(items []deliverable) {
	var checks []*Check
	for i := range items {
		if u, ok := items[i].item.(*unchecked); ok && !u.asked {
			u.asked = true
			checks = append(checks, u.check)
		}
	}
	items[0].item.(*unchecked).checker.Ask(checks)
}

// deliver passes a message to a waiting request and to the handlers, or drops and counts it.
func (u *unchecked) deliver(to Sink) {
	msg := u.check.Message
	switch u.check.Verdict {
	case Fresh:
		u.node.Counters.Inc(MessagesReceived)
		u.handle.traffic.received.Add(1)
		if msg.ReplyTo != "" {
			u.node.OnReply(u.peerID, msg)
		}
		to.Message(msg)
	case Duplicate:
		u.node.Counters.Inc(MessagesDuplicate)
	case Stale:
		u.drop(MessagesStale, "messages dropped: a member of this node that has stopped may have delivered them")
	case OverRate:
		u.drop(MessagesRateLimited, "messages over the rate limit dropped")
	case Full, Unanswered:
		u.drop(MessagesRefused, "messages dropped: the dedup set of another member of this node has no space")
	}
}

func (u *unchecked) drop(reason Counter, what string) {
	u.node.Counters.Inc(reason)
	u.handle.traffic.dropped.Add(1)
	if u.node.Drops != nil {
		u.node.Drops.add(u.peerID, reason, u.inbox)
	}
	u.node.LimitedLog.Warn(what, "peer", u.peerID)
}
