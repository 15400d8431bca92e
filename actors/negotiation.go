package actors

import (
	"fmt"
	"slices"

	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/wire"
)

// sessionTerms are the cipher of a session and the keys in the handshake message of the peer.
type sessionTerms struct {
	aead session.AEAD
	keys session.PeerKeys
}

// offerTerms returns the terms that a responder chooses from an offer, nil for no offer (protocol section 9).
func offerTerms(offer *wire.SessionOffer) (*sessionTerms, error) {
	if offer == nil {
		return nil, nil
	}
	aead, known := session.Choose(offer.AEADs)
	if !known {
		return nil, fmt.Errorf("%w: no known aead is offered for the session", ErrHandshake)
	}
	return &sessionTerms{aead, session.PeerKeys{Key: [session.KeySize]byte(offer.Key), KEM: offer.KEM}}, nil
}

// answerTerms returns the terms of a responder's answer to offered; nil: no session. Either may be nil.
func answerTerms(answer *wire.SessionAnswer, offered *wire.SessionOffer) (*sessionTerms, error) {
	if answer == nil {
		return nil, nil
	}
	switch {
	case offered == nil:
		return nil, fmt.Errorf("%w: the answer accepts a session that was not offered", ErrHandshake)
	case !slices.Contains(offered.AEADs, answer.AEAD):
		return nil, fmt.Errorf("%w: the answer names an aead that was not offered", ErrHandshake)
	case answer.KEM != nil && offered.KEM == nil:
		return nil, fmt.Errorf("%w: the answer has a kem that was not asked for", ErrHandshake)
	}
	aead, known := session.ParseAEAD(answer.AEAD)
	if !known {
		return nil, fmt.Errorf("%w: unknown aead", ErrHandshake)
	}
	return &sessionTerms{aead, session.PeerKeys{Key: [session.KeySize]byte(answer.Key), KEM: answer.KEM}}, nil
}

// offerSession makes the ephemeral keys of an initiator. It returns their form in the handshake, or nil if this node
// offers no session.
func (p *connection) offerSession() (*wire.SessionOffer, error) {
	policy := p.node.Limits.Session
	if !policy.Offer {
		return nil, nil
	}
	offer, err := session.NewOffer(p.node.Rand, policy.KEM)
	if err != nil {
		return nil, err
	}
	key := offer.PublicKey()
	wireOffer := &wire.SessionOffer{Key: key[:], KEM: offer.KEM()}
	for _, aead := range session.Preferred() {
		wireOffer.AEADs = append(wireOffer.AEADs, aead.String())
	}
	p.greeting.offer, p.greeting.offered = offer, wireOffer
	return wireOffer, nil
}

// deriveKeys derives the keys of a responder: the shared secret, and with it those of SMSG, for which it returns nil,
// or of the session. The registry has admitted the peer before: the key exchanges cost 0.05 and 0.2 ms.
func (p *connection) deriveKeys() (answer *session.Answer, err error) {
	if p.direction != Inbound {
		return nil, nil
	}
	g := p.greeting
	if g.secret, err = p.node.Keys.SharedSecret(g.key); err == nil {
		if g.terms == nil {
			g.smsg, err = newSMSG(g.secret, p.node.Rand)
		} else {
			answer, err = session.NewAnswer(
				p.node.Rand, session.WithSecret(p.node.Keys, g.key, g.secret), g.key, g.terms.keys)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	return answer, nil
}

// finishOffer performs the key exchanges of an initiator and begins the session.
func (p *connection) finishOffer(ack []byte) error {
	g := p.greeting
	own := session.WithSecret(p.node.Keys, g.key, g.secret)
	sealer, opener, err := g.offer.Finish(own, g.key, g.terms.keys, g.terms.aead, g.handshake, ack)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	p.beginSession(sealer, opener)
	return nil
}

// beginSession makes all further frames records. Messages of programs are refused until the peer's first record has
// opened.
func (p *connection) beginSession(sealer session.Sealer, opener session.Opener) {
	terms := p.greeting.terms
	c := &sessionCodec{
		node: p.node, self: p.self, peer: p.peerID, aead: terms.aead, kem: terms.keys.KEM != nil,
		sealer: sealer, opener: opener,
	}
	p.session, p.codec = true, c
	p.handle.session.Store(c)
	p.handle.outbox.speak(c)
}
