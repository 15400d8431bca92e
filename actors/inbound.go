package actors

import (
	"bytes"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// onFrames takes what one system call has brought. It has one time for all of it: on some machines asking for the time is
// as dear as sealing a block.
func (p *Peer) onFrames(ctx actor.Context, came *arrival) {
	now := time.Now()
	p.credit(now)
	for _, data := range came.frames() {
		p.onFrame(ctx, data, now)
		p.step()
	}
	came.done()
}

// credit tells the limiter of the time in which the byte budget held the read pump back since the last call: the frames
// of that time arrive in one burst. Standstill of the process is the limiter's to know, since connections share it.
func (p *Peer) credit(now time.Time) {
	held := p.inbound.held.until(p.node.Running.At(now))
	if held <= p.credited {
		return
	}
	if limiter, ok := p.limiter.(Creditor); ok {
		limiter.Credit(now, held-p.credited)
	}
	p.credited = held
}

// onFrame is the way of one frame through the connection. The order is fixed: limiter, decryption, dedup, handler
// (protocol section 6).
func (p *Peer) onFrame(ctx actor.Context, data []byte, now time.Time) {
	switch p.phase {
	case shaking:
		p.onHandshakeMessage(ctx, data)
	case judged:
		if p.direction == Outbound {
			p.early = append(p.early, bytes.Clone(data)) // the responder may speak as soon as it has sent its ack
			return
		}
		p.node.Counters.Inc(FramesMalformed) // nobody may speak before the ack
	case open:
		if msg := p.admit(ctx, data, now); msg != nil {
			p.onMessage(ctx, msg, len(data))
			return
		}
	case pending, closing:
	}
	p.inbound.give(len(data))
}

// admit returns the message in a frame, or nil when the frame is dropped; then it has been counted.
func (p *Peer) admit(ctx actor.Context, data []byte, now time.Time) *wire.Message {
	p.node.Counters.Add(BytesReceived, len(data))
	if !p.limiter.Take(now) {
		p.drop(MessagesRateLimited, "messages over the rate limit dropped")
		return nil
	}
	msg, err := p.unseal(data)
	if err != nil {
		p.malformed(ctx, err)
		return nil
	}
	p.badFrames = 0
	if !p.judge(ctx, msg, now) {
		return nil
	}
	p.life(ctx, msg, now)
	return msg
}

// unseal opens a frame and decodes the message in it.
func (p *Peer) unseal(data []byte) (*wire.Message, error) {
	plaintext, err := p.opener.Decrypt(data)
	if err != nil {
		return nil, err
	}
	decoder := wire.Decoder{From: p.peerID, To: p.self}
	begun := decoder.Begin(plaintext.Escaped())
	if begun > 0 {
		p.dedup.Expect(decoder.ID()) // what is left to do here takes about as long
	}
	body, skipped, _, err := plaintext.Body(begun)
	if err != nil {
		return nil, err
	}
	if skipped != begun { // what has been read was none of it
		return wire.Decode(body)
	}
	return decoder.Decode(body)
}

// judge decides whether a message that opened is one to deliver.
func (p *Peer) judge(ctx actor.Context, msg *wire.Message, now time.Time) bool {
	if msg.From == p.self {
		p.drop(MessagesRefused, "messages of our own sent back to us dropped")
		return false
	}
	if msg.Type == wire.MsgHandshake || msg.Type == wire.MsgHandshakeAck {
		p.malformed(ctx, ErrHandshake)
		return false
	}
	if skew := p.node.ClockAt(now).Sub(msg.Timestamp); skew.Abs() > p.node.Limits.MaxClockSkew {
		p.drop(MessagesStale, "messages with a stamp too far from now dropped; does the peer's clock differ?", "difference", skew.Round(time.Second))
		return false
	}
	switch p.dedup.Seen(msg, now) {
	case Duplicate:
		p.node.Counters.Inc(MessagesDuplicate)
		// The peer is there all the same, unless somebody only repeats what it has recorded.
		if p.proven {
			p.alive.lastLife = p.running(now)
		}
		return false
	case Stale:
		p.drop(MessagesStale, "messages stamped before this node's unclean restart dropped")
		return false
	case Full:
		p.drop(MessagesRefused, "messages dropped: the dedup set has no room for more of this peer's")
		if p.proven { // the peer is there: it is we who have no room
			p.alive.lastLife = p.running(now)
		}
		return false
	}
	return true
}

// life notes a fresh message: it is a sign of life, an answer to a probe, and from an inbound peer itself a proof.
func (p *Peer) life(ctx actor.Context, msg *wire.Message, now time.Time) {
	// What somebody else made and this peer relays may be a recording of what we once sealed for it.
	if !p.proven && msg.From == p.peerID {
		p.prove(ctx)
	}
	if !p.proven {
		return
	}
	p.alive.lastLife = p.running(now)
	p.handle.lastActivity.Store(p.node.ClockAt(now).UnixNano())
	if p.probed {
		p.probed = false
		ctx.Send(p.parent, &Alive{PID: p.handle.pid})
	}
}

// onMessage does what the transport itself does with a message, and delivers it.
func (p *Peer) onMessage(ctx actor.Context, msg *wire.Message, size int) {
	p.node.Counters.Inc(MessagesReceived)
	p.handOver(msg, size)
	switch msg.Type {
	case wire.MsgPing:
		p.notePeerPing(ctx, msg, time.Now())
		p.answerPing(msg)
	case wire.MsgPong:
		p.onPong(msg, time.Now())
	case wire.MsgDisconnect:
		p.onDisconnect(ctx, msg)
	}
}

// malformed counts a frame that did not open or held no valid message, and ends the connection at the hundredth in
// a row.
func (p *Peer) malformed(ctx actor.Context, err error) {
	p.drop(FramesMalformed, "malformed frames dropped", "error", err)
	p.badFrames++
	if p.badFrames >= maxBadFrames {
		p.goodbye(ctx, End{Code: wire.DisconnectProtocolError, Reason: "too many malformed frames"})
	}
}

// drop counts a dropped message and logs a sample.
func (p *Peer) drop(reason Counter, what string, attrs ...any) {
	p.node.Counters.Inc(reason)
	p.node.Samples.Warn(what, append(attrs, "peer", p.peerID, "remote", p.remote)...)
}
