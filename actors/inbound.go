package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// onFrames handles the frames of one system call with one reading of the clocks: on some machines a reading costs as
// much as sealing a block.
func (p *connection) onFrames(ctx actor.Context, batch *frameBatch) {
	at := p.moment()
	p.credit(at.now)
	for i, data := range batch.frames() {
		p.onFrame(ctx, data, batch.isText(i), &at)
	}
	batch.done()
	if p.resting {
		p.codec.restOpening()
	}
}

// moment is one reading of all clocks, and the message that is being judged.
type moment struct {
	now     time.Time // monotonic
	running time.Time // of the connection's running clock
	wall    time.Time // checks timestamps

	noted    bool   // as a sign of life
	compared bool   // with the clock of the peer
	idKey    uint64 // of the message's ID, for the dedup set; 0: not known
}

func (p *connection) moment() moment {
	now := time.Now()
	return moment{now: now, running: p.running(now), wall: p.node.ClockAt(now)}
}

// credit tells the limiter for how long the byte budget has held the read pump back since the last call: the frames of
// that time arrive in one burst. The limiter itself knows the standstill of the process.
func (p *connection) credit(now time.Time) {
	held := p.inbound.held.until(p.node.Running.At(now))
	if held <= p.credited {
		return
	}
	if p.limiter != nil { // nil before Welcome
		p.limiter.Credit(now, held-p.credited)
	}
	p.credited = held
}

// onFrame processes one frame, or keeps it until it can be processed.
func (p *connection) onFrame(ctx actor.Context, data []byte, text bool, at *moment) {
	switch p.phase {
	case deciding:
		if p.direction == Outbound {
			p.keepFrame(data, text) // a responder may send as soon as its ack is sent
			return
		}
	case open, draining:
		if p.kept() || !p.mayOpen(at.now) {
			p.keepFrame(data, text)
			return
		}
	case pending, handshaking, closing:
	}
	p.process(ctx, data, text, at)
}

// process processes one frame: limiter, decryption, dedup, handler, in this order (protocol section 6).
func (p *connection) process(ctx actor.Context, data []byte, text bool, at *moment) {
	left := p.inbound.open(len(data))
	switch p.phase {
	case handshaking:
		p.onHandshakeMessage(ctx, data)
	case deciding:
		p.node.Counters.Inc(FramesMalformed) // an initiator sends nothing before the ack
	case open, draining:
		p.opening = true
		left = p.admit(ctx, data, text, at, left)
		p.opening = false
	case closing:
		p.node.Counters.Inc(MessagesAfterGoodbye)
	case pending:
	}
	if left > 0 {
		p.inbound.give(left)
	}
}

// takeToken takes a token of the peer. It returns false if there is none.
func (p *connection) takeToken(now time.Time) bool {
	if !p.limiter.Take(now) {
		return false
	}
	if p.proof.taken < maxTaken && p.proof.strength < Bound {
		p.proof.taken++
	}
	return true
}

// admit opens a frame and delivers its messages or drops and counts them. left is the cost of the frame in the budget;
// admit returns the part of it that no delivered message takes over.
func (p *connection) admit(ctx actor.Context, data []byte, text bool, at *moment, left int64) int64 {
	p.node.Counters.Add(BytesReceived, len(data))
	paid := p.paid // false for a record opened at the end of the connection: each of its messages takes a token
	if p.paid = false; !p.session {
		if paid = p.takeToken(at.now); !paid {
			p.dropOverRate()
			return left
		}
	}
	if err := p.codec.open(data, text, p.dedup); err != nil {
		p.unopened(ctx, err)
		return left
	}
	for ; p.codec.more(); paid = false {
		if r := p.nextRun(at); len(r.messages) > 0 {
			left = p.admitRun(ctx, r, at, left)
			continue
		}
		if !paid && !p.payOrSkip(ctx, at.now) {
			continue
		}
		msg, mark, err := p.codec.next()
		at.idKey = p.codec.idKey()
		if !p.judge(ctx, msg, mark, err, at) {
			continue
		}
		cost := p.codec.cost()
		if left -= cost; left < 0 {
			p.inbound.grow(-left)
			left = 0
		}
		p.onMessage(ctx, msg, cost)
		p.countHandled(1)
	}
	return left
}

// payOrSkip takes a token for the next message of a record. Without a token, or after a message that ended the
// connection, it skips and counts the message and returns false.
func (p *connection) payOrSkip(ctx actor.Context, now time.Time) bool {
	switch {
	case p.phase == closing:
		p.node.Counters.Inc(MessagesAfterGoodbye)
	case p.takeToken(now):
		return true
	default:
		p.dropOverRate()
	}
	if err := p.codec.skip(); err != nil {
		p.unopened(ctx, err)
	}
	return false
}

func (p *connection) dropOverRate() {
	p.drop(MessagesRateLimited, "messages over the rate limit dropped")
}

// unopened handles a frame that did not open. In a session it is the last one: records are never skipped.
func (p *connection) unopened(ctx actor.Context, err error) {
	if p.session {
		p.violate(ctx, "a record of the session is broken", err)
		return
	}
	p.malformed(ctx, err)
}

// violate counts a violation of the session's protocol and closes the connection. err may be nil.
func (p *connection) violate(ctx actor.Context, reason string, err error) {
	if p.phase == closing {
		return
	}
	p.drop(FramesMalformed, "connection closed: "+reason, "error", err)
	p.closeGracefully(ctx, End{Code: wire.DisconnectProtocolErr, Reason: reason})
}

// judge reports whether a message of an opened frame is delivered. The mark is checked first: a frame of another
// connection must have no effect, and a malformed message in it is not this peer's fault.
func (p *connection) judge(ctx actor.Context, msg *wire.Message, mark mark, err error, at *moment) bool {
	switch {
	case errors.Is(err, wire.ErrRecord):
		p.unopened(ctx, err)
		return false
	case mark != markNone && !p.acceptMark(ctx, mark, msg):
		return false
	case err != nil:
		p.malformed(ctx, err)
		return false
	}
	p.badFrames = 0
	if !p.check(ctx, msg, at) {
		return false
	}
	p.noteLife(ctx, msg, at)
	return true
}

// noteLife records a sign of life of the peer.
func (p *connection) noteLife(ctx actor.Context, msg *wire.Message, at *moment) {
	if !at.noted { // the times are the same for all frames of a system call
		at.noted = true
		p.alive.lastLife = at.running
		p.handle.lastActivity.Store(at.wall.UnixNano())
	}
	p.showLife(ctx, pongOf(msg))
}

// pongOf returns the ID of the ping that a pong answers, or "".
func pongOf(msg *wire.Message) string {
	if msg.Type != wire.MsgPong {
		return ""
	}
	return msg.ReplyTo
}

// onMessage delivers a message, and handles pings, pongs and disconnects.
func (p *connection) onMessage(ctx actor.Context, msg *wire.Message, cost int64) {
	check := p.takeUnchecked()
	if check == nil { // otherwise the inbox counts it
		p.node.Counters.Inc(MessagesReceived)
		p.handle.traffic.received.Add(1)
	}
	p.deliver(undelivered{msg, cost, check})
	if !transportType(msg.Type) {
		p.traffic, p.resting = true, false
	}
	switch msg.Type {
	case wire.MsgPing:
		p.notePeerPing(ctx, msg, time.Now())
		p.reply(msg)
	case wire.MsgPong:
		p.onPong(ctx, msg, time.Now())
	case wire.MsgDisconnect:
		p.onDisconnect(ctx, msg)
	}
}

// malformed counts a frame that did not open or held no valid message. It closes the connection at the 100th
// consecutive one.
func (p *connection) malformed(ctx actor.Context, err error) {
	p.drop(FramesMalformed, "malformed frames dropped", "error", err)
	p.badFrames++
	if p.badFrames >= maxBadFrames {
		p.closeGracefully(ctx, End{Code: wire.DisconnectProtocolErr, Reason: "too many malformed frames"})
	}
}

// drop counts a dropped message, logs it at a limited rate, and reports it if the peer is verified.
func (p *connection) drop(reason Counter, what string, attrs ...any) {
	p.node.Counters.Inc(reason)
	p.handle.traffic.dropped.Add(1)
	p.reportDrop(reason)
	p.node.LimitedLog.Warn(what, append(attrs, "peer", p.peerID, "remote", p.remote)...)
}
