package session

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"io"

	"github.com/Snider/go-p2p/crypto"
)

// Offer holds the ephemeral keys of an initiator for one connection. Not safe for concurrent use.
type Offer struct {
	private *ecdh.PrivateKey // nil: used
	public  crypto.PublicKey
	kem     *mlkem.DecapsulationKey768 // nil: none offered
	kemKey  []byte
}

// NewOffer makes ephemeral keys from 32 bytes of random, and 64 further ones with kem, which adds an ML-KEM-768 key. If
// random is nil it is crypto/rand. The only errors are those of the reader.
func NewOffer(random io.Reader, kem bool) (*Offer, error) {
	random = readerOr(random)
	private, err := newEphemeral(random)
	if err != nil {
		return nil, err
	}
	o := &Offer{private: private, public: publicOf(private)}
	if !kem {
		return o, nil
	}
	var seed [mlkem.SeedSize]byte
	defer clear(seed[:])
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, err
	}
	if o.kem, err = mlkem.NewDecapsulationKey768(seed[:]); err != nil {
		return nil, err
	}
	o.kemKey = o.kem.EncapsulationKey().Bytes()
	return o, nil
}

// PublicKey returns the ephemeral public key for the handshake.
func (o *Offer) PublicKey() crypto.PublicKey { return o.public }

// KEM returns the ML-KEM encapsulation key for the handshake, KEMOfferSize bytes, or nil if none is offered. The caller
// must not modify it.
func (o *Offer) KEM() []byte { return o.kemKey }

// Finish returns both directions of the session. peer is the static key of the responder, answer the session keys in
// its ack; handshake and ack are both messages exactly as sent. An answer without a KEM is valid for an offer with one.
// Finish erases the offer, also on an error; a second call returns ErrUsed. Errors for keys of the peer wrap ErrKeys;
// others are those of own. It panics if aead is none of the constants.
func (o *Offer) Finish(own Identity, peer crypto.PublicKey, answer PeerKeys, aead AEAD, handshake, ack []byte) (
	Sealer, Opener, error,
) {
	aead.mustBeValid()
	if o.private == nil {
		return Sealer{}, Opener{}, ErrUsed
	}
	ikm, err := o.exchange(own, peer, answer)
	o.private, o.kem = nil, nil
	if err != nil {
		return Sealer{}, Opener{}, err
	}
	sealer, opener := start(crypto.Initiator, aead, ikm, handshake, ack)
	return sealer, opener, nil
}

// exchange returns the input key material.
func (o *Offer) exchange(own Identity, peer crypto.PublicKey, answer PeerKeys) ([]byte, error) {
	switch {
	case len(answer.KEM) != 0 && o.kem == nil:
		return nil, ErrKEMNotAsked
	case len(answer.KEM) != 0 && len(answer.KEM) != KEMAnswerSize:
		return nil, ErrKEMSize
	}
	m, err := exchangeKeys(crypto.Initiator, o.private, own, peer, answer.Key)
	switch {
	case err != nil:
		return nil, err
	case len(answer.KEM) == 0:
		return m.ikm, nil
	}
	shared, err := o.kem.Decapsulate(answer.KEM)
	if err != nil { // unreachable: the length is the one condition
		clear(m.ikm)
		return nil, ErrKEMSize
	}
	m.ikm = append(m.ikm, shared...)
	clear(shared)
	return m.ikm, nil
}
