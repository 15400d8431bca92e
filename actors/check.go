package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// check reports whether a decoded message is delivered.
func (p *connection) check(ctx actor.Context, msg *wire.Message, at *moment) bool {
	switch {
	case msg.From == p.self:
		p.noteDropped(msg, wire.ReceiptRefused)
		p.drop(MessagesRefused, "messages of our own sent back to us dropped")
		return false
	case msg.Type == wire.MsgHandshake || msg.Type == wire.MsgHandshakeAck:
		p.malformed(ctx, ErrHandshake)
		return false
	case transportType(msg.Type) && msg.From != p.peerID:
		p.drop(MessagesRefused, "ping, pong or disconnect of another node than the peer dropped")
		return false
	}
	return p.checkStamp(ctx, msg, at) && p.checkSeen(ctx, msg, at)
}

// checkStamp compares the timestamp with the clock, and records how far the peer's clock is ahead: once for the frames
// of a system call if the timestamps are not checked.
func (p *connection) checkStamp(ctx actor.Context, msg *wire.Message, at *moment) bool {
	unclocked := p.unclocked(msg)
	if unclocked && at.compared {
		return true
	}
	skew := at.wall.Sub(msg.Timestamp)
	if msg.From == p.peerID && p.proof.strength.Verified() {
		at.compared = true
		p.handle.traffic.ahead.Store(int64(-skew))
	}
	if unclocked || skew.Abs() <= p.node.Limits.MaxClockSkew {
		return true
	}
	p.onUndelivered(ctx, msg, at)
	p.noteDropped(msg, wire.ReceiptStale)
	p.drop(MessagesStale, "messages with a timestamp too far from now dropped; does the peer's clock differ?",
		"difference", skew.Round(time.Second))
	return false
}

// transportType reports whether messages of this type belong to the connection: they are exchanged between neighbours
// only, and do not wait for a token of the peer's rate limit.
func transportType(t wire.MessageType) bool {
	return t == wire.MsgPing || t == wire.MsgPong || t == wire.MsgDisconnect
}

// checkSeen asks the dedup set. An unverified connection adds no entry: the first fresh message of the peer itself
// verifies it, and relayed messages before that are refused.
func (p *connection) checkSeen(ctx actor.Context, msg *wire.Message, at *moment) bool {
	if !p.proof.strength.Verified() && msg.From != p.peerID {
		p.drop(MessagesRefused, "messages relayed by an unverified peer dropped")
		return false
	}
	return p.accepts(ctx, msg, p.seen(msg, at), at)
}

// accepts reports whether a message with this verdict is delivered, and counts one that is not.
func (p *connection) accepts(ctx actor.Context, msg *wire.Message, verdict Verdict, at *moment) bool {
	switch verdict {
	case Duplicate:
		p.node.Counters.Inc(MessagesDuplicate)
		p.noteDropped(msg, wire.ReceiptOK) // another peer may have delivered it
		if p.proof.strength.Verified() {
			p.reply(msg) // a duplicate ping may be the sender's only one that arrived
		}
		return false
	case Stale:
		p.noteDropped(msg, wire.ReceiptStale)
		p.drop(MessagesStale, "messages stamped before an unclean restart dropped: they may have been delivered")
		return false
	case Full:
		p.noteDropped(msg, wire.ReceiptRefused)
		p.drop(MessagesRefused, "messages dropped: the dedup set has no space for more of this peer's")
		if p.proof.strength.Verified() {
			p.alive.lastLife = at.running // the peer is alive; this node has no space
		}
		p.onUndelivered(ctx, msg, at)
		return false
	case Unanswered:
		p.drop(MessagesRefused, "messages of an unverified peer dropped: another member of this node has not answered")
		return false
	case undecided:
		return false
	}
	if msg.From == p.peerID {
		p.raise(ctx, Unmarked)
	}
	return true
}

// seen returns the verdict of the dedup set and enters a fresh message, which verifies its connection.
func (p *connection) seen(msg *wire.Message, at *moment) Verdict {
	if p.members != nil {
		return p.seenByMembers(msg, at)
	}
	return p.seenHere(msg, at)
}

// seenHere returns the verdict of this process alone.
func (p *connection) seenHere(msg *wire.Message, at *moment) Verdict {
	if !p.proof.strength.Verified() {
		if verdict := p.dedup.Known(msg, at.now); verdict != Fresh {
			return verdict
		}
	}
	if p.unclocked(msg) {
		return p.dedup.SeenInSession(msg, at.idKey, at.now)
	}
	return p.dedup.Seen(msg, at.now)
}

// unclocked reports whether the timestamp of a message is not checked: in a session, counters protect the peer's own
// messages against replay.
func (p *connection) unclocked(msg *wire.Message) bool { return p.session && msg.From == p.peerID }

// onUndelivered handles a message that is too far from our clock or has no space in the dedup set. A pong to our own
// ping proves the peer and its life, since the ping's ID is random and of this connection; pings are answered; a
// disconnect is obeyed.
func (p *connection) onUndelivered(ctx actor.Context, msg *wire.Message, at *moment) {
	if msg.Type == wire.MsgPong && p.alive.pingID.answeredBy(msg.ReplyTo) {
		p.raise(ctx, Unmarked)
		p.alive.lastLife = at.running
		p.showLife(ctx, msg.ReplyTo)
		p.onPong(ctx, msg, at.now)
		return
	}
	if !p.proof.strength.Verified() {
		return
	}
	p.reply(msg)
	if msg.Type == wire.MsgPong && msg.ReplyTo != "" {
		p.node.OnReply(p.peerID, msg) // the answer to a ping of SendConfirmed
	}
	if msg.Type == wire.MsgDisconnect {
		p.onDisconnect(ctx, msg)
	}
}

// reply answers a ping.
func (p *connection) reply(msg *wire.Message) {
	if msg.Type == wire.MsgPing && p.phase == open {
		p.answerPing(msg)
	}
}
