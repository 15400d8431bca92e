package session

import (
	"bytes"
	"crypto/mlkem"
	"errors"
	"reflect"
	"testing"

	"github.com/Snider/go-p2p/crypto"
)

// TestSecretsAreErased requires that nothing of an exchange remains in an Offer or Answer.
func TestSecretsAreErased(t *testing.T) {
	a, b := mustIdentities(t)
	offer, answer := mustExchange(t, a, b, true)
	ikm := *answer.ikm
	if len(ikm) != 4*KeySize+mlkem.SharedKeySize || cap(ikm) != len(ikm) {
		t.Errorf("%d of %d bytes of key material", len(ikm), cap(ikm))
	}
	keys := PeerKeys{answer.PublicKey(), answer.KEM()}
	answer.Finish(AES256GCM, testHandshake, testAck)
	if !bytes.Equal(ikm, make([]byte, len(ikm))) || answer.ikm != nil {
		t.Error("the key material of the answer remains")
	}
	if _, _, err := offer.Finish(a, b.PublicKey(), keys, AES256GCM, testHandshake, testAck); err != nil {
		t.Fatal(err)
	}
	if offer.private != nil || offer.kem != nil {
		t.Error("the offer keeps a private key")
	}
	if _, _, err := offer.Finish(a, b.PublicKey(), keys, AES256GCM, testHandshake, testAck); err != ErrUsed {
		t.Errorf("finished twice: %v", err)
	}
	unsent, err := NewAnswer(nil, b, a.PublicKey(), PeerKeys{Key: publicKey(t, bytes.Repeat([]byte{7}, KeySize))})
	if err != nil {
		t.Fatal(err)
	}
	ikm = *unsent.ikm
	unsent.Erase()
	unsent.Erase()
	if !bytes.Equal(ikm, make([]byte, len(ikm))) || unsent.ikm != nil {
		t.Error("the key material of an unsent answer remains")
	}
}

// TestFinishPanicsOnMisuse requires a panic without a cipher, and for an answer that is finished twice.
func TestFinishPanicsOnMisuse(t *testing.T) {
	a, b := mustIdentities(t)
	offer, answer := mustExchange(t, a, b, false)
	keys := PeerKeys{Key: answer.PublicKey()}
	for _, tt := range []struct {
		name string
		run  func()
		want bool
	}{
		{"offer without cipher", func() { _, _, _ = offer.Finish(a, b.PublicKey(), keys, 0, testHandshake, testAck) }, true},
		{"answer without cipher", func() { answer.Finish(3, testHandshake, testAck) }, true},
		{"answer", func() { answer.Finish(AES256GCM, testHandshake, testAck) }, false},
		{"answer twice", func() { answer.Finish(AES256GCM, testHandshake, testAck) }, true},
	} {
		if got := panics(tt.run); got != tt.want {
			t.Errorf("%s: panic %v", tt.name, got)
		}
	}
}

func panics(run func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	run()
	return
}

// TestErrorsOfAnIdentityPass requires that an error of this node is not taken for one of the peer's keys.
func TestErrorsOfAnIdentityPass(t *testing.T) {
	none, good := &crypto.NodeManager{}, publicKey(t, bytes.Repeat([]byte{7}, KeySize))
	_, err := NewAnswer(nil, none, good, PeerKeys{Key: publicKey(t, bytes.Repeat([]byte{8}, KeySize))})
	if !errors.Is(err, crypto.ErrNoIdentity) || errors.Is(err, ErrKeys) {
		t.Error(err)
	}
}

// TestRefusalsUnwrap requires kind and cause in each error.
func TestRefusalsUnwrap(t *testing.T) {
	cause := errors.New("cause")
	err := &refusal{kind: ErrKeys, reason: "r", cause: cause}
	if !errors.Is(err, ErrKeys) || !errors.Is(err, cause) || err.Error() != "session keys refused: r" {
		t.Error(err)
	}
	if got := ErrOwnKey.(*refusal).Unwrap(); !reflect.DeepEqual(got, []error{ErrKeys}) {
		t.Error(got)
	}
}
