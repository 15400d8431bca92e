package actors

import (
	"errors"
	"testing"

	"github.com/Snider/go-p2p/crypto"
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

func changed(data []byte, at int, flip byte) []byte {
	data[uint(at)%uint(len(data))] ^= flip
	return data
}
