package actors

import (
	"bytes"
	"errors"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/crypto/session"
	"github.com/Snider/go-p2p/wire"
)

// FuzzHandshake passes any bytes to a responder. An accepted peer has an ID that belongs to its key, and is not this
// node.
func FuzzHandshake(f *testing.F) {
	self, peer := newKeys(f, "self"), newKeys(f, "peer")
	f.Add(encodeLogin(f, wire.MsgHandshake, goodHandshake(peer)))
	f.Add(encodeLogin(f, wire.MsgHandshake, goodHandshake(self)))
	f.Add([]byte(`{"id":"1","type":"handshake","ts":"2026-01-02T03:04:05Z","payload":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, _, no := readHandshake(data, self.PublicKey(), true)
		if no != nil {
			if no.reason == "" || !errors.Is(no.detail, ErrHandshake) || len(no.reason) > 400 || len(no.detail.Error()) > 800 {
				t.Errorf("told %q, logged %v", no.reason, no.detail)
			}
			return
		}
		if got.key.NodeID() != got.identity.ID || got.key == self.PublicKey() || got.key.String() != got.identity.PublicKey {
			t.Errorf("accepted %+v", got)
		}
		if _, err := self.SharedSecret(got.key); err != nil {
			t.Errorf("accepted a key without a shared secret: %v", err)
		}
	})
}

// FuzzAck passes any bytes to an initiator. Only the holder of a key can be accepted, and no input is from one.
func FuzzAck(f *testing.F) {
	a := newAnswered(f)
	good := encodeLogin(f, wire.MsgHandshakeAck, a.ack)
	f.Add(good)
	f.Add([]byte(`{"id":"1","type":"handshake_ack","ts":"2026-01-02T03:04:05Z",` +
		`"payload":{"accepted":false,"reason":"no"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		peer, err := a.readRaw(data)
		if err != nil {
			if !errors.Is(err, ErrHandshake) && !errors.Is(err, ErrRefused) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if peer.key != a.peer.PublicKey() || peer.identity.ID != peer.key.NodeID() {
			t.Errorf("accepted %+v", peer)
		}
	})
}

// FuzzHandshakePair connects two honest nodes through an attacker that changes one byte of each message. If both
// accept each other, they have the same secret.
func FuzzHandshakePair(f *testing.F) {
	initiator, responder := newKeys(f, "initiator"), newKeys(f, "responder")
	f.Add(0, byte(0), 0, byte(0))
	f.Add(300, byte(1), 0, byte(0))
	f.Add(0, byte(0), 250, byte(0x20))
	f.Fuzz(func(t *testing.T, at int, flip byte, ackAt int, ackFlip byte) {
		opening := Opening{Direction: Outbound, Challenge: [32]byte{9}}
		hello := goodHandshake(initiator)
		hello.Challenge = opening.Challenge[:]
		data := changed(encodeLogin(t, wire.MsgHandshake, hello), at, flip)
		heard, challenge, no := readHandshake(data, responder.PublicKey(), true)
		if no != nil {
			return
		}
		theirs, err := responder.SharedSecret(heard.key)
		if err != nil {
			t.Fatal(err)
		}
		ack := wire.HandshakeAckPayload{
			Identity: identityOnWire(responder.Identity()), Accepted: true,
			ChallengeResponse: crypto.SignChallenge(challenge[:], theirs),
		}
		data = changed(encodeLogin(t, wire.MsgHandshakeAck, ack), ackAt, ackFlip)
		peer, ours, err := readAck(data, initiator.PublicKey(), opening, nil, initiator.SharedSecret)
		if err == nil && (ours != theirs || peer.key != responder.PublicKey() || heard.key != initiator.PublicKey()) {
			t.Error("both accept, and are not each other's peer")
		}
		if flip == 0 && ackFlip == 0 && err != nil {
			t.Errorf("two honest sides: %v", err)
		}
	})
}

// FuzzSessionPair negotiates a session between two honest nodes through an attacker that changes one byte of each
// message. The keys of both sides agree exactly if the attacker changed nothing.
func FuzzSessionPair(f *testing.F) {
	initiator, responder := newKeys(f, "initiator"), newKeys(f, "responder")
	for _, at := range []int{0, 100, 300, 420, 460, 480, 500, 530, 600} {
		f.Add(at, byte(1), at, byte(0), false)
		f.Add(at, byte(0), at, byte(0x20), true)
	}
	f.Add(0, byte(0), 0, byte(0), true)
	f.Fuzz(func(t *testing.T, at int, flip byte, ackAt int, ackFlip byte, kem bool) {
		opening := Opening{Direction: Outbound, Challenge: [32]byte{9}}
		offer, hello := newSessionOffer(t, kem)
		hello.Identity, hello.Challenge = goodHandshake(initiator).Identity, opening.Challenge[:]
		sent := encodeLogin(t, wire.MsgHandshake, hello)
		received := changed(bytes.Clone(sent), at, flip)
		heard, challenge, no := readHandshake(received, responder.PublicKey(), true)
		if no != nil || heard.terms == nil {
			return
		}
		answer, err := session.NewAnswer(nil, responder, heard.key, heard.terms.keys)
		if err != nil {
			if !errors.Is(err, session.ErrKeys) {
				t.Fatal(err)
			}
			return
		}
		secret, err := responder.SharedSecret(heard.key)
		if err != nil {
			t.Fatal(err)
		}
		key := answer.PublicKey()
		ack := encodeLogin(t, wire.MsgHandshakeAck, wire.HandshakeAckPayload{
			Identity: identityOnWire(responder.Identity()), Accepted: true, Features: []string{wire.FeatureSession},
			ChallengeResponse: crypto.SignChallenge(challenge[:], secret),
			Session:           &wire.SessionAnswer{AEAD: heard.terms.aead.String(), Key: key[:], KEM: answer.KEM()},
		})
		ackReceived := changed(bytes.Clone(ack), ackAt, ackFlip)
		peer, _, err := readAck(ackReceived, initiator.PublicKey(), opening, hello.Session, initiator.SharedSecret)
		if err != nil || peer.terms == nil {
			if flip == 0 && ackFlip == 0 {
				t.Errorf("two honest sides: %v", err)
			}
			return
		}
		_, opener := answer.Finish(heard.terms.aead, received, ack)
		sealer, _, err := offer.Finish(initiator, peer.key, peer.terms.keys, peer.terms.aead, sent, ackReceived)
		if err != nil {
			if !errors.Is(err, session.ErrKeys) {
				t.Fatal(err)
			}
			return
		}
		_, _, err = opener.Open(sealer.Seal([]byte{0, 'x'}), 0)
		if same := flip == 0 && ackFlip == 0; same != (err == nil) {
			t.Errorf("nothing changed: %v, the first record: %v", same, err)
		}
	})
}

// newSessionOffer returns the secrets of an offer and a handshake payload with it, without identity and challenge.
func newSessionOffer(t testing.TB, kem bool) (*session.Offer, wire.HandshakePayload) {
	offer, err := session.NewOffer(nil, kem)
	if err != nil {
		t.Fatal(err)
	}
	key := offer.PublicKey()
	return offer, wire.HandshakePayload{
		Version: "1.0", Features: []string{wire.FeatureSession},
		Session: &wire.SessionOffer{AEADs: []string{"aes256gcm", "chacha20poly1305"}, Key: key[:], KEM: offer.KEM()},
	}
}

func changed(data []byte, at int, flip byte) []byte {
	data[uint(at)%uint(len(data))] ^= flip
	return data
}
