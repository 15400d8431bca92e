package actors

import (
	"bytes"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// firstPing is how long after the ack an unverified peer that announces no feature gets our ping, or half of
// PingInterval where that is shorter: a deployed node may not speak by itself for a whole ping interval.
const firstPing = time.Second

// maxTaken bounds the frames that count when the registry lends a connection another bucket.
const maxTaken = 1000

// proof is the evidence that a connection's peer holds its key.
type proof struct {
	strength  Strength
	framed    bool          // a frame that proves the peer has opened here; an ack alone may have been relayed
	awaited   bool          // the registry has not answered the last Verified yet: messages wait
	must      bool          // the peer has to bind its frames
	announced bool          // it announced features
	quiet     bool          // it gets no frame before its proof
	taken     int           // frames that passed the limiter since the connection opened or its limiter changed
	due       time.Duration // running, since Node.Born: the connection ends then unless it is verified
	peer      crypto.Bind   // of the peer's frames; the codec has ours
}

// begin starts the time that the peer of a connection that has opened has for its proof. A peer that announces a
// feature speaks at once, so the rest of the handshake timeout is enough for it.
func (p *proof) begin(now time.Duration, quiet bool, handshakeLeft time.Duration, limits *Limits) {
	p.quiet = quiet || p.announced
	p.due = now + limits.silence()
	if p.announced {
		p.due = now + handshakeLeft
	}
}

// early holds what arrives while the registry decides.
type early struct {
	frames [][]byte      // wait for Welcome or RoutePublished
	held   []undelivered // messages that wait until the registry has answered the news of the proof
}

// later returns the place for what has to wait.
func (p *Peer) earlyInput() *early {
	if p.early == nil {
		p.early = &early{}
	}
	return p.early
}

// wait keeps a copy of a frame until the registry has decided.
func (p *Peer) keepFrame(data []byte) {
	later := p.earlyInput()
	later.frames = append(later.frames, bytes.Clone(data))
}

// takeEarly returns the frames that have waited.
func (p *Peer) takeEarly() (frames [][]byte) {
	if p.early == nil {
		return nil
	}
	frames, p.early.frames = p.early.frames, nil
	p.dropEarly()
	return frames
}

// takeHeld returns the messages that have waited.
func (p *Peer) takeHeld() (held []undelivered) {
	if p.early == nil {
		return nil
	}
	held, p.early.held = p.early.held, nil
	p.dropEarly()
	return held
}

func (p *Peer) dropEarly() {
	if p.early.frames == nil && p.early.held == nil {
		p.early = nil
	}
}

// handed is a message that waits for its handlers, and what its frame took of the budget.
type undelivered struct {
	message *wire.Message
	size    int
}

// judgeProof acts on the bind of a frame that opened, before the frame is decoded. It reports whether the frame counts.
func (p *Peer) acceptBind(ctx actor.Context, bind []byte) bool {
	must := p.proof.must || p.proof.strength >= Bound
	switch judgeMark(bind, p.codec.end.Bind(), &p.proof.peer, must) {
	case markBound:
		p.raise(ctx, Bound)
		return true
	case markAbsent:
		return true
	case markReflected:
		p.drop(MessagesRefused, "frames of our own sent back to us dropped")
	case markForeign:
		p.foreign(ctx)
	}
	return false
}

// foreign ends a connection on which a frame opened that was sealed for another one: a relay copies frames between
// connections, or has changed a handshake message.
func (p *Peer) foreign(ctx actor.Context) {
	p.node.Counters.Inc(DowngradesRefused)
	p.node.LimitedLog.Warn("connection closed: a frame was sealed for another connection", "remote", p.remote, "claiming", p.peerID)
	ctx.Send(p.parent, &Foreign{PID: p.handle.pid})
	p.closeGracefully(ctx, End{Code: wire.DisconnectProtocolErr, Reason: "a frame was sealed for another connection"})
}

// raise notes evidence of a strength, by a frame of the peer, and reports it to the registry when it is new. Until the
// registry answers, that message and all frames behind it wait: a handler that answers it sends along the route table,
// which may still name another connection.
func (p *Peer) raise(ctx actor.Context, s Strength) {
	if s <= p.proof.strength && p.proof.framed {
		return
	}
	if !p.proof.strength.Verified() && p.alive.pingID == "" {
		p.alive.lastPing = time.Now() // the peer has proven itself without our first ping, so the next one is not early
	}
	p.proof.strength, p.proof.framed, p.proof.awaited = max(s, p.proof.strength), true, true
	said := &Verified{PID: p.handle.pid, Strength: p.proof.strength}
	p.handle.verified.Store(said)
	ctx.Send(p.parent, said)
	p.schedule(p.untilDue(time.Now())) // other things are due now
}

// onRoutePublished continues with the bucket that belongs to the proven peer.
func (p *Peer) onRoutePublished(ctx actor.Context, msg *RoutePublished) {
	if msg.Limiter != nil {
		p.limiter = msg.Limiter
		for now := time.Now(); p.proof.taken > 0; p.proof.taken-- {
			p.limiter.Take(now) // frames that passed before count
		}
	}
	p.release(ctx)
}

// release hands over the message that was the proof and takes the frames that came after it: the registry has answered,
// or the connection ends.
func (p *Peer) release(ctx actor.Context) {
	p.releaseHeld()
	for _, data := range p.takeEarly() {
		at := p.moment()
		p.onFrame(ctx, data, &at)
	}
}

func (p *Peer) releaseHeld() {
	p.proof.awaited = false
	for _, next := range p.takeHeld() {
		p.deliver(next.message, next.size)
	}
}

// handOver gives a message to a waiting request, and to the handlers.
func (p *Peer) deliver(msg *wire.Message, size int) {
	if p.proof.awaited {
		later := p.earlyInput()
		later.held = append(later.held, undelivered{msg, size})
		return
	}
	if msg.ReplyTo != "" && p.proof.strength.Verified() { // an unverified peer answers no request
		p.node.Replies.Reply(p.peerID, msg)
	}
	p.inbox.message(msg, p.inbound, size)
}
