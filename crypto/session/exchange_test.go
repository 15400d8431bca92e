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

// refusedByBoth are keys that both sides refuse in the same way.
var refusedByBoth = []struct {
	name      string
	peer      crypto.PublicKey // static key; zero: the right one
	ephemeral crypto.PublicKey
}{
	{"low order 1", crypto.PublicKey{}, crypto.PublicKey{1}},
	{"low order 0", crypto.PublicKey{}, crypto.PublicKey{}},
	{"not canonical", crypto.PublicKey{}, crypto.PublicKey{9, KeySize - 1: 0x80}},
	{"identity of low order", crypto.PublicKey{1}, crypto.PublicKey{9}},
}

// TestOfferRefusesKeysOfThePeer gives an initiator each bad key of a responder.
func TestOfferRefusesKeysOfThePeer(t *testing.T) {
	a, b := mustIdentities(t)
	refused := func(name string, want error, peer crypto.PublicKey, answer func(*Offer) PeerKeys) {
		t.Helper()
		offer := mustOffer(t, false)
		_, _, err := offer.Finish(a, orKey(peer, b), answer(offer), AES256GCM, testHandshake, testAck)
		if !errors.Is(err, want) || !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v", name, err)
		}
		if offer.private != nil {
			t.Errorf("%s: the offer can be used again", name)
		}
	}
	fixed := func(keys PeerKeys) func(*Offer) PeerKeys { return func(*Offer) PeerKeys { return keys } }
	for _, bad := range refusedByBoth {
		refused(bad.name, crypto.ErrPublicKey, bad.peer, fixed(PeerKeys{Key: bad.ephemeral}))
	}
	right := crypto.PublicKey{}
	refused("own identity", ErrOwnKey, right, fixed(PeerKeys{Key: a.PublicKey()}))
	refused("own ephemeral key", ErrOwnKey, right, func(o *Offer) PeerKeys { return PeerKeys{Key: o.PublicKey()} })
	refused("KEM not asked for", ErrKEMNotAsked, right, fixed(PeerKeys{crypto.PublicKey{9}, make([]byte, KEMAnswerSize)}))
}

// TestAnswerRefusesKeysOfThePeer gives a responder each bad key of an initiator.
func TestAnswerRefusesKeysOfThePeer(t *testing.T) {
	a, b := mustIdentities(t)
	seed := bytes.Repeat([]byte{9}, KeySize)
	refused := func(name string, want error, peer crypto.PublicKey, offer PeerKeys) {
		t.Helper()
		_, err := NewAnswer(bytes.NewReader(seed), b, orKey(peer, a), offer)
		if !errors.Is(err, want) || !errors.Is(err, ErrKeys) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range refusedByBoth {
		refused(bad.name, crypto.ErrPublicKey, bad.peer, PeerKeys{Key: bad.ephemeral})
	}
	right := crypto.PublicKey{}
	refused("own identity", ErrOwnKey, right, PeerKeys{Key: b.PublicKey()})
	refused("own ephemeral key", ErrOwnKey, right, PeerKeys{Key: publicKey(t, seed)})
	good := publicKey(t, bytes.Repeat([]byte{7}, KeySize))
	notReduced := make([]byte, KEMOfferSize)
	notReduced[0], notReduced[1] = 0xff, 0x0f // 4095 is above the modulus 3329
	refused("KEM key too short", ErrKEMSize, right, PeerKeys{good, notReduced[1:]})
	refused("KEM key too long", ErrKEMSize, right, PeerKeys{good, append(notReduced, 0)})
	refused("KEM key not canonical", ErrKEMKey, right, PeerKeys{good, notReduced})
}

// orKey returns key, or that of node in place of a zero one.
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
	offer := mustOffer(t, false)
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
		answer := PeerKeys{publicKey(t, bytes.Repeat([]byte{7}, KeySize)), make([]byte, length)}
		_, _, err := mustOffer(t, true).Finish(a, b.PublicKey(), answer, AES256GCM, testHandshake, testAck)
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
		offer, answer := mustExchange(t, a, b, true)
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
		offer, answer := mustExchange(t, a, b, false)
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
