package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// onFrames handles the frames of one system call with one reading of the clocks: on some machines a reading costs as
// much as sealing a block.
func (p *connection) onFrames(ctx actor.Context, batch *frameBatch) {
	at := p.moment()
	p.credit(at.now)
	for _, data := range batch.frames() {
		p.onFrame(ctx, data, &at)
		p.countHandled()
	}
	batch.done()
}

// moment is one reading of all clocks.
type moment struct {
	now     time.Time // monotonic
	running time.Time // of the connection's running clock
	wall    time.Time // checks timestamps
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

// onFrame processes one frame: limiter, decryption, dedup, handler, in this order (protocol section 6).
func (p *connection) onFrame(ctx actor.Context, data []byte, at *moment) {
	switch p.phase {
	case handshaking:
		p.onHandshakeMessage(ctx, data)
	case deciding:
		if p.direction == Outbound {
			p.keepFrame(data) // a responder may send as soon as its ack is sent
			return
		}
		p.node.Counters.Inc(FramesMalformed) // an initiator sends nothing before the ack
	case open, draining:
		if p.proof.awaited { // the registry may lend another bucket
			p.keepFrame(data)
			return
		}
		if msg := p.admit(ctx, data, at); msg != nil {
			p.onMessage(ctx, msg, len(data))
			return
		}
	case closing:
		p.node.Counters.Inc(MessagesAfterGoodbye)
	case pending:
	}
	p.inbound.give(len(data))
}

// admit returns the message in a frame, or nil if the frame was dropped and counted.
func (p *connection) admit(ctx actor.Context, data []byte, at *moment) *wire.Message {
	p.node.Counters.Add(BytesReceived, len(data))
	if !p.limiter.Take(at.now) {
		p.drop(MessagesRateLimited, "messages over the rate limit dropped")
		return nil
	}
	if p.proof.taken < maxTaken && p.proof.strength < Bound {
		p.proof.taken++
	}
	msg, err := p.unseal(ctx, data)
	if err != nil {
		p.malformed(ctx, err)
		return nil
	}
	if msg == nil {
		return nil
	}
	p.badFrames = 0
	if !p.check(ctx, msg, at) {
		return nil
	}
	p.alive.lastLife = at.running
	p.handle.lastActivity.Store(at.wall.UnixNano())
	p.showLife(ctx, pongOf(msg))
	return msg
}

// pongOf returns the ID of the ping that a pong answers, or "".
func pongOf(msg *wire.Message) string {
	if msg.Type != wire.MsgPong {
		return ""
	}
	return msg.ReplyTo
}

// unseal opens a frame and decodes its message. It returns nil and no error for a frame of another connection, which
// must have no effect. The mark is checked first: a malformed message for another connection is not this peer's fault.
func (p *connection) unseal(ctx actor.Context, data []byte) (*wire.Message, error) {
	if err := p.codec.open(data); err != nil {
		return nil, err
	}
	msg, mark, err := p.codec.next(p.dedup)
	if mark != markNone && !p.acceptMark(ctx, mark) {
		return nil, nil
	}
	return msg, err
}

// check reports whether a decoded message is delivered.
func (p *connection) check(ctx actor.Context, msg *wire.Message, at *moment) bool {
	switch {
	case msg.From == p.self:
		p.drop(MessagesRefused, "messages of our own sent back to us dropped")
		return false
	case msg.Type == wire.MsgHandshake || msg.Type == wire.MsgHandshakeAck:
		p.malformed(ctx, ErrHandshake)
		return false
	case transportType(msg.Type) && msg.From != p.peerID:
		p.drop(MessagesRefused, "ping, pong or disconnect of another node than the peer dropped")
		return false
	}
	skew := at.wall.Sub(msg.Timestamp)
	if skew.Abs() > p.node.Limits.MaxClockSkew {
		p.onUndelivered(ctx, msg, at)
		p.drop(MessagesStale, "messages with a timestamp too far from now dropped; does the peer's clock differ?",
			"difference", skew.Round(time.Second))
		return false
	}
	return p.checkSeen(ctx, msg, at)
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
	switch p.seen(msg, at) {
	case Duplicate:
		p.node.Counters.Inc(MessagesDuplicate)
		if p.proof.strength.Verified() {
			p.reply(msg) // a duplicate ping may be the sender's only one that arrived
		}
		return false
	case Stale:
		p.drop(MessagesStale, "messages stamped before this node's unclean restart dropped")
		return false
	case Full:
		p.drop(MessagesRefused, "messages dropped: the dedup set has no space for more of this peer's")
		if p.proof.strength.Verified() {
			p.alive.lastLife = at.running // the peer is alive; this node has no space
		}
		p.onUndelivered(ctx, msg, at)
		return false
	}
	if msg.From == p.peerID {
		p.raise(ctx, Unmarked)
	}
	return true
}

// seen returns the verdict of the dedup set and enters a fresh message, which verifies its connection.
func (p *connection) seen(msg *wire.Message, at *moment) Verdict {
	if !p.proof.strength.Verified() {
		if verdict := p.dedup.Known(msg, at.now); verdict != Fresh {
			return verdict
		}
	}
	return p.dedup.Seen(msg, at.now)
}

// onUndelivered handles a message that is too far from our clock or has no space in the dedup set. A pong to our own
// ping proves the peer and its life, since the ping's ID is random and of this connection; pings are answered; a
// disconnect is obeyed.
func (p *connection) onUndelivered(ctx actor.Context, msg *wire.Message, at *moment) {
	if msg.Type == wire.MsgPong && msg.ReplyTo != "" && msg.ReplyTo == p.alive.pingID {
		p.raise(ctx, Unmarked)
		p.alive.lastLife = at.running
		p.showLife(ctx, msg.ReplyTo)
		p.onPong(msg, at.now)
		return
	}
	if !p.proof.strength.Verified() {
		return
	}
	p.reply(msg)
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

// onMessage delivers a message, and handles pings, pongs and disconnects.
func (p *connection) onMessage(ctx actor.Context, msg *wire.Message, size int) {
	p.node.Counters.Inc(MessagesReceived)
	p.deliver(msg, size)
	switch msg.Type {
	case wire.MsgPing:
		p.notePeerPing(ctx, msg, time.Now())
		p.reply(msg)
	case wire.MsgPong:
		p.onPong(msg, time.Now())
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
	p.reportDrop(reason)
	p.node.LimitedLog.Warn(what, append(attrs, "peer", p.peerID, "remote", p.remote)...)
}
