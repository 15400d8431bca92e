package session

import (
	"errors"
	"testing"

	"github.com/Snider/go-p2p/crypto"
)

var errBroken = errors.New("the key store does not answer")

// brokenIdentity fails one call of Exchange.
type brokenIdentity struct {
	Identity
	before int // calls that succeed before it
}

func (b *brokenIdentity) Exchange(peer crypto.PublicKey) ([32]byte, error) {
	if b.before--; b.before == -1 {
		return [32]byte{}, errBroken
	}
	return b.Identity.Exchange(peer)
}

// TestFailedExchangeEndsTheHandshake: each of the two exchanges of the static key may fail. No session begins with
// zeros in place of its result.
func TestFailedExchangeEndsTheHandshake(t *testing.T) {
	a, b := mustIdentities(t)
	for _, kem := range []bool{false, true} {
		for before := range 2 {
			offer, answer := mustExchange(t, a, b, kem)
			own := &brokenIdentity{Identity: b, before: before}
			if _, err := NewAnswer(nil, own, a.PublicKey(), PeerKeys{offer.PublicKey(), offer.KEM()}); err != errBroken {
				t.Errorf("responder, exchange %d, KEM %v: %v", before, kem, err)
			}
			own = &brokenIdentity{Identity: a, before: before}
			keys := PeerKeys{answer.PublicKey(), answer.KEM()}
			_, _, err := offer.Finish(own, b.PublicKey(), keys, AES256GCM, testHandshake, testAck)
			if err != errBroken {
				t.Errorf("initiator, exchange %d, KEM %v: %v", before, kem, err)
			}
		}
	}
}

// TestKEMExcusesNoBadKey: a valid KEM beside a bad X25519 key does not make it acceptable.
func TestKEMExcusesNoBadKey(t *testing.T) {
	a, b := mustIdentities(t)
	for i, bad := range badKeys() {
		offer, answer := mustExchange(t, a, b, true)
		key := crypto.PublicKey(bad)
		if _, err := NewAnswer(nil, b, a.PublicKey(), PeerKeys{key, offer.KEM()}); !errors.Is(err, ErrKeys) {
			t.Errorf("responder, key %d: %v", i, err)
		}
		keys := PeerKeys{key, answer.KEM()}
		_, _, err := offer.Finish(a, b.PublicKey(), keys, AES256GCM, testHandshake, testAck)
		if !errors.Is(err, ErrKeys) {
			t.Errorf("initiator, key %d: %v", i, err)
		}
	}
}
