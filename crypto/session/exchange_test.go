package session

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
)

// TestEphemeralKeysFollowTheReader requires the same keys from the same bytes, and other keys without a reader.
func TestEphemeralKeysFollowTheReader(t *testing.T) {
	seed := strings.Repeat("0123456789abcdef", 6)
	read := func() *Offer {
		o, err := NewOffer(strings.NewReader(seed), true)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	one, two := read(), read()
	if one.PublicKey() != two.PublicKey() || !bytes.Equal(one.KEM(), two.KEM()) {
		t.Error("two offers from the same bytes differ")
	}
	if one.PublicKey() != publicKey(t, []byte(seed[:KeySize])) || len(one.KEM()) != KEMOfferSize {
		t.Error("not the key of the first 32 bytes")
	}
	random, err := NewOffer(nil, false)
	if err != nil || random.PublicKey() == one.PublicKey() || random.KEM() != nil {
		t.Errorf("%v, %v", random.PublicKey(), err)
	}
	for _, length := range []int{0, 31, 95} {
		if _, err := NewOffer(strings.NewReader(seed[:length]), true); err == nil {
			t.Errorf("an offer from %d bytes", length)
		}
	}
	a, b := mustIdentities(t)
	short := strings.NewReader(seed[:31])
	if _, err := NewAnswer(short, b, a.PublicKey(), PeerKeys{Key: one.PublicKey()}); err == nil {
		t.Error("an answer from 31 bytes")
	}
}

// TestKeysOfThePeerAreRefused gives each side each bad key.
func TestKeysOfThePeerAreRefused(t *testing.T) {
	a, b := mustIdentities(t)
	good := publicKey(t, bytes.Repeat([]byte{7}, KeySize))
	kem := bytes.Repeat([]byte{1}, KEMAnswerSize)
	highBit := good
	highBit[KeySize-1] |= 0x80
	notReduced := make([]byte, KEMOfferSize)
	notReduced[0], notReduced[1] = 0xff, 0x0f // 4095 is above the modulus 3329
	tests := []struct {
		name         string
		peer         crypto.PublicKey // zero: the right one
		initiator    func(*Offer) PeerKeys
		responder    PeerKeys
		want, wanted error // of the initiator, of the responder; nil: not tried
	}{
		{
			"low order 1",
			crypto.PublicKey{},
			fixed(crypto.PublicKey{1}),
			PeerKeys{Key: crypto.PublicKey{1}},
			crypto.ErrPublicKey, crypto.ErrPublicKey,
		},
		{"low order 0", crypto.PublicKey{}, fixed(crypto.PublicKey{}), PeerKeys{}, crypto.ErrPublicKey, crypto.ErrPublicKey},
		{
			"not canonical",
			crypto.PublicKey{},
			fixed(highBit),
			PeerKeys{Key: highBit},
			crypto.ErrPublicKey, crypto.ErrPublicKey,
		},
		{
			"identity of low order",
			crypto.PublicKey{1},
			fixed(good),
			PeerKeys{Key: good},
			crypto.ErrPublicKey, crypto.ErrPublicKey,
		},
		{
			"own identity as ephemeral key",
			crypto.PublicKey{},
			fixed(a.PublicKey()),
			PeerKeys{Key: b.PublicKey()},
			ErrOwnKey, ErrOwnKey,
		},
		{
			"own ephemeral key",
			crypto.PublicKey{},
			func(o *Offer) PeerKeys { return PeerKeys{Key: o.PublicKey()} },
			PeerKeys{Key: publicKey(t, bytes.Repeat([]byte{9}, KeySize))},
			ErrOwnKey, ErrOwnKey,
		},
		{
			"KEM not asked for",
			crypto.PublicKey{},
			func(*Offer) PeerKeys { return PeerKeys{good, kem} },
			PeerKeys{},
			ErrKEMNotAsked, nil,
		},
		{"KEM key too short", crypto.PublicKey{}, nil, PeerKeys{good, notReduced[1:]}, nil, ErrKEMSize},
		{"KEM key too long", crypto.PublicKey{}, nil, PeerKeys{good, append(notReduced, 0)}, nil, ErrKEMSize},
		{"KEM key not canonical", crypto.PublicKey{}, nil, PeerKeys{good, notReduced}, nil, ErrKEMKey},
	}
	for _, tt := range tests {
		if tt.want != nil {
			offer, err := NewOffer(bytes.NewReader(bytes.Repeat([]byte{9}, KeySize)), false)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = offer.Finish(a, orKey(tt.peer, b), tt.initiator(offer), AES256GCM, testHandshake, testAck)
			if !errors.Is(err, tt.want) || !errors.Is(err, ErrKeys) {
				t.Errorf("initiator, %s: %v", tt.name, err)
			}
			if offer.private != nil {
				t.Errorf("initiator, %s: the offer can be used again", tt.name)
			}
		}
		if tt.wanted != nil {
			random := bytes.NewReader(bytes.Repeat([]byte{9}, KeySize))
			_, err := NewAnswer(random, b, orKey(tt.peer, a), tt.responder)
			if !errors.Is(err, tt.wanted) || !errors.Is(err, ErrKeys) {
				t.Errorf("responder, %s: %v", tt.name, err)
			}
		}
	}
}

func fixed(key crypto.PublicKey) func(*Offer) PeerKeys {
	return func(*Offer) PeerKeys { return PeerKeys{Key: key} }
}

func orKey(key crypto.PublicKey, node *crypto.NodeManager) crypto.PublicKey {
	if key == (crypto.PublicKey{}) {
		return node.PublicKey()
	}
	return key
}

// TestOwnIdentityAsPeerIsRefused gives each side its own identity as that of the peer.
func TestOwnIdentityAsPeerIsRefused(t *testing.T) {
	a, _ := mustIdentities(t)
	good := PeerKeys{Key: publicKey(t, bytes.Repeat([]byte{7}, KeySize))}
	offer, err := NewOffer(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := offer.Finish(a, a.PublicKey(), good, AES256GCM, testHandshake, testAck); err != ErrOwnKey {
		t.Error(err)
	}
	if _, err := NewAnswer(nil, a, a.PublicKey(), good); err != ErrOwnKey {
		t.Error(err)
	}
}

// TestAnswerOfKEMIsChecked requires both lengths of an answer's ciphertext, and its absence, to be told apart.
func TestAnswerOfKEMIsChecked(t *testing.T) {
	a, b := mustIdentities(t)
	for length, want := range map[int]error{
		0: nil, 1: ErrKEMSize, KEMAnswerSize - 1: ErrKEMSize, KEMAnswerSize: nil, KEMAnswerSize + 1: ErrKEMSize,
	} {
		offer, err := NewOffer(nil, true)
		if err != nil {
			t.Fatal(err)
		}
		answer := PeerKeys{publicKey(t, bytes.Repeat([]byte{7}, KeySize)), make([]byte, length)}
		_, _, err = offer.Finish(a, b.PublicKey(), answer, AES256GCM, testHandshake, testAck)
		if err != want {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
}

// TestSecretsDependOnEveryInput changes one input of the initiator at a time; no record may open then.
func TestSecretsDependOnEveryInput(t *testing.T) {
	a, b := mustIdentities(t)
	other, err := crypto.NewEphemeralNodeManager("c", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	type inputs struct {
		own            *crypto.NodeManager
		peer           crypto.PublicKey
		answer         PeerKeys
		aead           AEAD
		handshake, ack []byte
	}
	for name, change := range map[string]func(*inputs){
		"nothing":            func(*inputs) {},
		"own identity":       func(in *inputs) { in.own = other },
		"peer":               func(in *inputs) { in.peer = other.PublicKey() },
		"ephemeral key":      func(in *inputs) { in.answer.Key = other.PublicKey() },
		"ciphertext":         func(in *inputs) { in.answer.KEM = make([]byte, KEMAnswerSize) },
		"without ciphertext": func(in *inputs) { in.answer.KEM = nil },
		"cipher":             func(in *inputs) { in.aead = ChaCha20Poly1305 },
		"handshake":          func(in *inputs) { in.handshake = []byte("x") },
		"ack":                func(in *inputs) { in.ack = []byte("x") },
		"border of both messages": func(in *inputs) {
			in.handshake, in.ack = append(bytes.Clone(testHandshake), testAck[0]), testAck[1:]
		},
	} {
		offer, err := NewOffer(nil, true)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := NewAnswer(nil, b, a.PublicKey(), PeerKeys{offer.PublicKey(), offer.KEM()})
		if err != nil {
			t.Fatal(err)
		}
		in := inputs{a, b.PublicKey(), PeerKeys{answer.PublicKey(), answer.KEM()}, AES256GCM, testHandshake, testAck}
		change(&in)
		_, opener := answer.Finish(AES256GCM, testHandshake, testAck)
		sealer, _, err := offer.Finish(in.own, in.peer, in.answer, in.aead, in.handshake, in.ack)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, _, err := opener.Open(sealed(sealer, "x"), 0); (err == nil) != (name == "nothing") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWithSecretGivesTheSameKeys mixes identities with and without the secret. A secret of another peer is not used.
func TestWithSecretGivesTheSameKeys(t *testing.T) {
	a, b := mustIdentities(t)
	secret, err := a.SharedSecret(b.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	wrong := crypto.SharedSecret{1}
	for name, own := range map[string]struct {
		identity Identity
		opens    bool
	}{
		"known":           {WithSecret(a, b.PublicKey(), secret), true},
		"of another peer": {WithSecret(a, a.PublicKey(), wrong), true},
		"wrong":           {WithSecret(a, b.PublicKey(), wrong), false},
	} {
		offer, err := NewOffer(nil, false)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := NewAnswer(nil, b, a.PublicKey(), PeerKeys{Key: offer.PublicKey()})
		if err != nil {
			t.Fatal(err)
		}
		keys := PeerKeys{Key: answer.PublicKey()}
		_, opener := answer.Finish(AES256GCM, testHandshake, testAck)
		sealer, _, err := offer.Finish(own.identity, b.PublicKey(), keys, AES256GCM, testHandshake, testAck)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := opener.Open(sealed(sealer, "x"), 0); (err == nil) != own.opens {
			t.Errorf("%s: %v", name, err)
		}
	}
}
