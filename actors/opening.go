package actors

import (
	"bytes"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/wire"
)

// onAttached starts the read pump. An initiator sends its handshake.
func (p *connection) onAttached(ctx actor.Context) {
	socket := p.slot.take()
	if p.phase != pending || socket == nil {
		return
	}
	p.phase, p.socket, p.greeting.attached = handshaking, socket, time.Now()
	p.handle.outbox.attach(socket)
	pump := &readPump{socket: socket, budget: p.inbound, node: p.node, handle: p.handle, ackNext: p.direction == Outbound}
	socket.BeforeRead(pump.flush)
	p.node.Spawn(pump.run)
	if p.direction == Outbound {
		p.sendHandshake(ctx)
	}
}

func (p *connection) sendHandshake(ctx actor.Context) {
	offered, err := p.offerSession()
	if err != nil {
		p.fail(ctx, err)
		return
	}
	payload := wire.HandshakePayload{
		Identity:  identityOnWire(p.node.Keys.Identity()),
		Challenge: p.greeting.Challenge[:],
		Version:   wire.ProtocolVersion,
		Features:  p.node.Limits.features(offered != nil),
		Session:   offered,
	}
	msg, err := p.compose(wire.MsgHandshake, nil)
	msg.To = p.greeting.ExpectID
	f := p.node.frames.get(handshakeSize)
	if err == nil {
		f.data, err = wire.AppendHandshake(f.data, &msg, &payload)
	}
	if err != nil {
		p.fail(ctx, err)
		return
	}
	f.text = true
	p.greeting.handshake = bytes.Clone(f.data) // the outbox recycles its buffers
	p.handle.outbox.push(f)
}

// handshakeSize is the capacity in bytes for a message of the handshake; a KEM takes more.
const handshakeSize = socket.MinBuffer

// onHandshakeMessage handles the first message of the peer.
func (p *connection) onHandshakeMessage(ctx actor.Context, data []byte) {
	if p.direction == Outbound {
		p.onAck(ctx, data)
		return
	}
	peer, challenge, no := readHandshake(data, p.node.Keys.PublicKey(), p.node.Limits.Session.Offer)
	if no == nil {
		p.greeting.handshake = bytes.Clone(data)
		p.identified(ctx, peer, challenge, nil)
		return
	}
	if errors.Is(no.detail, errOwnKey) && p.node.OnOwnKey != nil && p.node.OnOwnKey(challenge) {
		p.refuse(ctx, no)
		return
	}
	p.reject(ctx, no)
}

func (p *connection) onAck(ctx actor.Context, data []byte) {
	g := p.greeting
	peer, secret, err := readAck(data, p.node.Keys.PublicKey(), g.Opening, g.offered, p.node.Keys.SharedSecret)
	if err != nil {
		if !errors.Is(err, ErrRefused) {
			p.node.Counters.Inc(HandshakesRejected)
		}
		p.fail(ctx, err)
		return
	}
	p.proof.strength, g.secret = ackStrength(peer), secret
	p.identified(ctx, peer, [crypto.ChallengeSize]byte{}, data)
}

// identified asks the registry, without waiting for the answer. ack is the peer's, nil for a responder: with it the
// frames after the handshake begin, since the registry may publish the route before the actor knows.
func (p *connection) identified(ctx actor.Context, peer claim, challenge [crypto.ChallengeSize]byte, ack []byte) {
	g := p.greeting
	p.peerID, g.key, g.terms, g.challenge = peer.identity.ID, peer.key, peer.terms, challenge
	if ack != nil {
		if err := p.beginFrames(ack); err != nil {
			p.node.Counters.Inc(HandshakesRejected)
			p.fail(ctx, err)
			return
		}
	}
	p.handle.pace(wire.AnnouncedRate(peer.features))
	p.proof.must, p.proof.announced = mustBind(peer.features), len(peer.features) > 0
	p.phase = deciding
	ctx.Send(p.parent, &Identified{
		PID: p.handle.pid, Identity: peer.identity, Key: peer.key, Challenge: challenge,
		Features: peer.features, Remote: p.socket.RemoteAddr(), Strength: p.proof.strength,
		Binds: p.proof.must, Session: peer.terms != nil,
	})
}

// beginFrames creates the codec of an initiator. That of a responder waits for the verdict of the registry.
func (p *connection) beginFrames(ack []byte) (err error) {
	g := p.greeting
	if g.terms != nil {
		return p.finishOffer(ack)
	}
	if g.smsg, err = newSMSG(g.secret, p.node.Rand); err == nil {
		p.socket.SetReadLimit(p.node.Limits.readLimit(false))
		p.bindFrames(ack)
		p.beginSMSG()
	}
	return err
}

// bindFrames binds the frames of both directions to the two handshake messages of this connection.
func (p *connection) bindFrames(ack []byte) {
	own, peer := crypto.Initiator, crypto.Responder
	if p.direction == Inbound {
		own, peer = peer, own
	}
	g := p.greeting
	g.smsg.bind(crypto.NewBind(own, g.handshake, ack), crypto.NewBind(peer, g.handshake, ack))
}

// beginSMSG makes all further frames SMSG containers, also those of programs.
func (p *connection) beginSMSG() {
	p.codec = p.greeting.smsg
	p.handle.outbox.speak(p.codec)
	p.handle.outbox.accept()
}

// onWelcome opens the connection. A responder sends its ack, and no frame before the peer is verified. An initiator
// sends a ping at once.
func (p *connection) onWelcome(ctx actor.Context, w *Welcome) {
	answer, err := p.deriveKeys()
	if err != nil {
		p.reject(ctx, &rejection{reason: wire.ReasonInvalidHandshake, detail: err})
		return
	}
	now := time.Now()
	p.phase, p.inbox, p.dedup, p.limiter = open, w.Inbox, w.Dedup, w.Limiter
	if checker, ok := w.Dedup.(Checker); ok {
		p.members = &members{checker: checker}
	}
	if p.dispatcher.workers != nil {
		w.Inbox.deferMessages()
		p.dispatcher.inbox.Store(w.Inbox)
	}
	p.node.Counters.Inc(HandshakesAccepted)
	took := now.Sub(p.greeting.attached)
	p.observe(func(o Observer) { o.Handshake(took) })
	if p.direction == Inbound {
		p.accept(answer)
	}
	p.alive.begin(now, p.running(now))
	p.proof.begin(p.running(now).Sub(p.node.Born), w.Quiet, p.handshakeLeft(p.node.Running.At(now)), &p.node.Limits)
	if w.Hold {
		p.proof.hold(p.running(now).Sub(p.node.Born), &p.node.Limits)
	}
	p.greeting = nil
	if p.direction == Outbound || p.session {
		p.ping()
	} else {
		p.alive.lastPing = now.Add(min(firstPing, p.node.Limits.PingInterval/2) - p.node.Limits.PingInterval)
	}
	p.onTick(ctx, 0)
	p.resume(ctx, false)
}

// accept sends a responder's ack and begins the frames after it. answer is nil for SMSG. Keys and binds are derived
// first: the outbox takes over the bytes of the ack.
func (p *connection) accept(answer *session.Answer) {
	g := p.greeting
	p.socket.SetReadLimit(p.node.Limits.readLimit(answer != nil))
	ack := wire.HandshakeAckPayload{
		Identity:          identityOnWire(p.node.Keys.Identity()),
		ChallengeResponse: crypto.SignChallenge(g.challenge[:], g.secret),
		Accepted:          true,
		Features:          p.node.Limits.features(answer != nil),
	}
	if answer == nil {
		f := p.encodeAck(&ack)
		p.bindFrames(f.data)
		p.handle.outbox.push(f)
		p.beginSMSG()
		return
	}
	key := answer.PublicKey()
	ack.Session = &wire.SessionAnswer{AEAD: g.terms.aead.String(), Key: key[:], KEM: answer.KEM()}
	f := p.encodeAck(&ack)
	sealer, opener := answer.Finish(g.terms.aead, g.handshake, f.data)
	p.handle.outbox.push(f)
	p.beginSession(sealer, opener)
}

// encodeAck returns the answer to a handshake, whose bytes are unique by the random ID of the message. It is empty if
// the clock cannot be written, which is logged.
func (p *connection) encodeAck(ack *wire.HandshakeAckPayload) *frame {
	f := p.node.frames.get(handshakeSize)
	msg, err := p.compose(wire.MsgHandshakeAck, nil)
	if err == nil {
		f.data, err = wire.AppendHandshakeAck(f.data, &msg, ack)
	}
	if err != nil {
		p.node.Log.Error("the handshake's answer cannot be encoded", "error", err)
	}
	f.text = true
	return f
}

// reject ends a handshake, counts and logs it.
func (p *connection) reject(ctx actor.Context, no *rejection) {
	p.node.Counters.Inc(HandshakesRejected)
	p.node.LimitedLog.Warn("handshake refused", "remote", p.remote, "reason", no.reason, "detail", no.detail)
	p.refuse(ctx, no)
}

// refuse ends a handshake. An inbound peer is told the reason in an ack.
func (p *connection) refuse(ctx actor.Context, no *rejection) {
	if p.direction == Outbound {
		p.fail(ctx, no.detail)
		return
	}
	p.startClosing(ctx, End{Code: wire.DisconnectProtocolErr, Reason: no.reason, Err: no.detail})
	ack := wire.HandshakeAckPayload{Identity: identityOnWire(p.node.Keys.Identity()), Reason: no.reason}
	f := p.encodeAck(&ack)
	f.closeWith = &socket.CloseStatus{Code: statusPolicy, Reason: "handshake refused"}
	p.handle.outbox.push(f)
}
