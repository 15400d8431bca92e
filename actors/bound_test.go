package actors

import (
	"testing/synctest"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// shakeWith does the initiator's handshake with these features and returns when the connection is open. Frames carry
// no bind until bind is called.
func (p *remote) shakeWith(features ...string) {
	p.t.Helper()
	hello := goodHandshake(p.keys)
	hello.Features = features
	first := encodeLogin(p.t, wire.MsgHandshake, hello)
	p.sayPlain(first)
	second := sockettest.ReadOne(p.t, p.ws)
	p.ownBind = crypto.NewBind(crypto.Initiator, first, second)
	p.nodeBind = crypto.NewBind(crypto.Responder, first, second)
	p.listen()
}

// ackWith accepts a handshake and announces these features. Frames carry no bind until bind is called.
func (p *remote) ackWith(hello wire.HandshakePayload, features ...string) {
	second := encodeLogin(p.t, wire.MsgHandshakeAck, wire.HandshakeAckPayload{
		Identity: identityOnWire(p.keys.Identity()), Accepted: true, Features: features,
		ChallengeResponse: crypto.SignChallenge(hello.Challenge, p.rig.secretWith(p.keys)),
	})
	p.ownBind = crypto.NewBind(crypto.Responder, p.handshake, second)
	p.nodeBind = crypto.NewBind(crypto.Initiator, p.handshake, second)
	p.sayPlain(second)
	p.listen()
}

// bind makes the remote seal with this bind from now on; zero: without a bind.
func (p *remote) bind(b crypto.Bind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.codec.end = wire.NewSealedEnd(b[:]); b == (crypto.Bind{}) {
		p.codec.end = wire.NewSealedEnd(nil)
	}
}

// openBound connects a peer that announces these features and has sent one bound frame.
func (r *rig) openBound(features ...string) *remote {
	r.t.Helper()
	p := r.connect()
	p.shakeWith(features...)
	p.bind(p.ownBind)
	p.send("hello", nil)
	synctest.Wait()
	return p
}

// ids returns the IDs of the received messages in order, without pings and pongs; a disconnect has the name of its
// type.
func (p *remote) ids() (ids []string) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, msg := range p.heard {
		switch msg.Type {
		case wire.MsgPing, wire.MsgPong:
		case wire.MsgDisconnect:
			ids = append(ids, string(msg.Type))
		default:
			ids = append(ids, msg.ID)
		}
	}
	return ids
}

// strengths returns the reported strengths.
func (r *rig) strengths() (all []Strength) {
	for _, p := range reportsOf[*Verified](r) {
		all = append(all, p.Strength)
	}
	return all
}
