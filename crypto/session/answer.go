package session

import (
	"crypto/mlkem"
	"io"

	"github.com/Snider/go-p2p/crypto"
)

// Answer holds the keys of a responder for one connection. Not safe for concurrent use.
type Answer struct {
	public     crypto.PublicKey
	ciphertext []byte  // nil: no KEM
	ikm        *[]byte // nil: used. A pointer, so that printing a struct does not reveal it
}

// encapsulator is (*mlkem.EncapsulationKey768).Encapsulate, which takes its randomness from the system.
type encapsulator func(*mlkem.EncapsulationKey768) (sharedKey, ciphertext []byte)

// NewAnswer makes an ephemeral key from 32 bytes of random and performs all key exchanges with the session keys in the
// handshake of peer, the static key of the initiator. If random is nil it is crypto/rand. Errors for keys of the peer
// wrap ErrKeys; others are those of the reader and of own. Call it after the peer is admitted: it takes about 0.25 ms.
func NewAnswer(random io.Reader, own Identity, peer crypto.PublicKey, offer PeerKeys) (*Answer, error) {
	return newAnswer(random, own, peer, offer, (*mlkem.EncapsulationKey768).Encapsulate)
}

func newAnswer(random io.Reader, own Identity, peer crypto.PublicKey, offer PeerKeys, encapsulate encapsulator) (
	*Answer, error,
) {
	kem, err := parseKEM(offer.KEM)
	if err != nil {
		return nil, err
	}
	private, err := newEphemeral(readerOr(random))
	if err != nil {
		return nil, err
	}
	m, err := exchangeKeys(crypto.Responder, private, own, peer, offer.Key)
	if err != nil {
		return nil, err
	}
	a := &m.answer
	a.public, a.ikm = publicOf(private), &m.ikm
	if kem != nil {
		shared, ciphertext := encapsulate(kem)
		m.ikm, a.ciphertext = append(m.ikm, shared...), ciphertext
		clear(shared)
	}
	return a, nil
}

// parseKEM returns the encapsulation key of an offer, or nil if there is none.
func parseKEM(raw []byte) (*mlkem.EncapsulationKey768, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	if len(raw) != KEMOfferSize {
		return nil, ErrKEMSize
	}
	kem, err := mlkem.NewEncapsulationKey768(raw)
	if err != nil {
		return nil, ErrKEMKey
	}
	return kem, nil
}

// PublicKey returns the ephemeral public key for the ack.
func (a *Answer) PublicKey() crypto.PublicKey { return a.public }

// KEM returns the ML-KEM ciphertext for the ack, KEMAnswerSize bytes, or nil if none was offered. The caller must not
// modify it.
func (a *Answer) KEM() []byte { return a.ciphertext }

// Finish returns both directions of the session and erases the answer. handshake and ack are both messages exactly as
// sent. It panics if aead is none of the constants, and at the second call.
func (a *Answer) Finish(aead AEAD, handshake, ack []byte) (Sealer, Opener) {
	aead.mustBeValid()
	if a.ikm == nil {
		panic("session: Answer.Finish called twice")
	}
	ikm := *a.ikm
	a.ikm = nil
	return start(crypto.Responder, aead, ikm, handshake, ack)
}

// Erase clears the secrets of an answer that is not sent. It may be called at any time, also after Finish.
func (a *Answer) Erase() {
	if a.ikm != nil {
		clear(*a.ikm)
		a.ikm = nil
	}
}
