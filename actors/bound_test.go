package actors

import (
	"testing/synctest"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// shakeWith does the initiator's part of the handshake with these features, and gives the remote the binds of its
// connection. Its frames carry no bind until bound is called.
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

// bind has the remote seal with this bind from now on; zero: with none.
func (p *remote) bind(b crypto.Bind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.codec.bind(b); b == (crypto.Bind{}) {
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

// ids returns the ids of the messages heard, pings and pongs aside, in order; a disconnect is named by its type.
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

// strengths returns the proofs that the connection has reported.
func (r *rig) strengths() (all []Strength) {
	for _, p := range told[*Verified](r) {
		all = append(all, p.Strength)
	}
	return all
}
