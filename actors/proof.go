package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// firstPing is the delay of the ping to an unverified peer without features, at most half of PingInterval: a deployed
// node may send nothing for a whole ping interval.
const firstPing = time.Second

// maxTaken is the largest number of frames that are charged again when the registry lends another bucket.
const maxTaken = 1000

// proof is the evidence that the peer of a connection holds its key.
type proof struct {
	strength  Strength
	framed    bool          // a frame of the peer has opened here; an ack alone may have been relayed
	awaited   bool          // the registry has not answered the last Verified: messages wait
	asking    bool          // another member is asked about the message that may verify the peer: frames wait
	must      bool          // the peer must bind its frames
	announced bool          // the peer announced features
	quiet     bool          // send no frame before the proof
	taken     int           // frames charged since the connection opened or its limiter changed
	due       time.Duration // deadline of the proof, running clock, since Node.Born
}

// begin starts the timeout of the proof. A peer that announces features sends at once: it gets the rest of the
// handshake timeout.
func (p *proof) begin(now time.Duration, quiet bool, handshakeLeft time.Duration, limits *Limits) {
	p.quiet = quiet || p.announced
	p.due = now + limits.silence()
	if p.announced {
		p.due = now + handshakeLeft
	}
}

// hold makes an initiator unverified until a frame of the peer opens, for the silence limit at most. It still pings.
func (p *proof) hold(now time.Duration, limits *Limits) {
	p.strength, p.quiet, p.due = Claimed, false, now+limits.silence()
}

// acceptMark checks the mark of an opened frame, before its message counts; msg is nil if it is malformed. It reports
// whether the message is processed. A peer that announced a feature which requires a bind, or has bound a frame here
// before, must bind.
func (p *connection) acceptMark(ctx actor.Context, m mark, msg *wire.Message) bool {
	switch {
	case m == markSession:
		return p.proof.strength == Session || p.acceptFirst(ctx, msg)
	case m == markBound:
		p.raise(ctx, Bound)
		return true
	case m == markReflected:
		p.drop(MessagesRefused, "frames of our own sent back to us dropped")
		return false
	case m == markAbsent && !p.proof.must && p.proof.strength < Bound:
		return true
	}
	p.refuseForeign(ctx)
	return false
}

// acceptFirst checks the first message of a session (protocol section 9). A ping proves the keys of both sides: from
// now on this node may send. It is alone in its record, since the record is charged to the bucket of unverified peers.
// A disconnect ends the connection. All else violates the protocol.
func (p *connection) acceptFirst(ctx actor.Context, msg *wire.Message) bool {
	switch {
	case msg != nil && msg.Type == wire.MsgPing && msg.From == p.peerID && !p.codec.more():
		p.handle.outbox.accept()
		if p.members != nil {
			p.members.ahead = msg.Timestamp.Sub(p.node.Clock())
		}
		p.raise(ctx, Session)
		return true
	case msg != nil && msg.Type == wire.MsgDisconnect && msg.From == p.peerID:
		p.node.Counters.Inc(MessagesReceived)
		p.handle.traffic.received.Add(1)
		p.onDisconnect(ctx, msg)
		return false
	}
	p.violate(ctx, "the first messages of a session are not one ping", nil)
	return false
}

// refuseForeign closes a connection on which a frame for another connection arrived: a relay copies frames between
// connections, or has changed a handshake message.
func (p *connection) refuseForeign(ctx actor.Context) {
	p.node.Counters.Inc(DowngradesRefused)
	p.node.LimitedLog.Warn("connection closed: a frame was sealed for another connection",
		"remote", p.remote, "claiming", p.peerID)
	p.handle.foreign.Store(true)
	ctx.Send(p.parent, &Foreign{PID: p.handle.pid})
	p.closeGracefully(ctx, End{Code: wire.DisconnectProtocolErr, Reason: "a frame was sealed for another connection"})
}

// raise records evidence from a frame of the peer, and reports new evidence to the registry. That message and all
// frames behind it wait for the answer: a handler that answers it uses the route table, which may still name another
// connection.
func (p *connection) raise(ctx actor.Context, s Strength) {
	if s <= p.proof.strength && p.proof.framed {
		return
	}
	if !p.proof.strength.Verified() && p.alive.pingID == (pingID{}) {
		p.alive.lastPing = time.Now() // no first ping was needed: the next ping is not early
	}
	p.proof.strength, p.proof.framed, p.proof.awaited = max(s, p.proof.strength), true, true
	report := &Verified{PID: p.handle.pid, Strength: p.proof.strength}
	p.handle.verified.Store(report)
	ctx.Send(p.parent, report)
	p.schedule(p.untilDue(time.Now())) // verified connections have other deadlines
}

// onRoutePublished continues with the token bucket of the verified peer.
func (p *connection) onRoutePublished(ctx actor.Context, msg *RoutePublished) {
	if msg.Limiter != nil {
		p.limiter = msg.Limiter
		for now := time.Now(); p.proof.taken > 0; p.proof.taken-- {
			p.limiter.Take(now) // charge the frames before
		}
	}
	p.release(ctx)
	if err := p.takeEnded(); err != nil {
		p.onReadEnded(ctx, err)
	}
}
