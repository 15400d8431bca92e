package actors

import (
	"errors"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// answered is an ack with the input of its validation.
type answered struct {
	self, peer *crypto.NodeManager
	opening    Opening
	ack        wire.HandshakeAckPayload
}

func newAnswered(t testing.TB) *answered {
	t.Helper()
	a := &answered{self: newKeys(t, "self"), peer: newKeys(t, "peer")}
	a.opening = Opening{Direction: Outbound, Challenge: [32]byte{1, 2, 3}}
	secret, err := a.peer.SharedSecret(a.self.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	a.ack = wire.HandshakeAckPayload{
		Identity: identityOnWire(a.peer.Identity()), Accepted: true,
		ChallengeResponse: crypto.SignChallenge(a.opening.Challenge[:], secret),
		Features:          []string{"single-connection"},
	}
	return a
}

func (a *answered) read(t testing.TB) (claim, error) {
	return a.readRaw(encodeLogin(t, wire.MsgHandshakeAck, a.ack))
}

func (a *answered) readRaw(data []byte) (claim, error) {
	peer, secret, err := readAck(data, a.self.PublicKey(), a.opening, nil, a.self.SharedSecret)
	if err != nil && (secret != crypto.SharedSecret{} || peer.identity.ID != "") {
		return peer, errors.New("a refusal came with a secret or a peer")
	}
	return peer, err
}

func TestReadAckAccepts(t *testing.T) {
	a := newAnswered(t)
	for _, expect := range []string{"", a.peer.Identity().ID} {
		a.opening.ExpectID = expect
		peer, err := a.read(t)
		if err != nil || peer.key != a.peer.PublicKey() {
			t.Errorf("expecting %q: %+v, %v", expect, peer, err)
		}
	}
}

func TestReadAckRefusesIdentities(t *testing.T) {
	self, peer := newKeys(t, "self"), newKeys(t, "peer")
	for name, spoil := range identityFaults(t, self, peer) {
		a := newAnswered(t)
		a.self, a.peer = self, peer
		a.ack.Identity = identityOnWire(peer.Identity())
		spoil(&a.ack.Identity)
		if _, err := a.read(t); !errors.Is(err, ErrHandshake) || len(err.Error()) > 300 {
			t.Errorf("%s: %v, want ErrHandshake", name, err)
		}
	}
}

func refused(a *answered) { a.ack.Accepted, a.ack.Reason = false, "peer not authorized" }

// A refusal names another node than the expected one, so that the operator corrects the address, not the allowlist. It
// names no node that is the expected one, or without a pin.
func TestReadAckNamesTheNodeThatRefuses(t *testing.T) {
	other := strings.Repeat("0", 32)
	for expected, want := range map[string]string{
		"":    `the peer refused the connection: "peer not authorized"`,
		other: `the peer refused the connection: "peer not authorized": another node answered: expected ` + other + ", got ",
	} {
		a := newAnswered(t)
		refused(a)
		a.opening.ExpectID = expected
		if expected != "" {
			want += a.peer.Identity().ID
		}
		if _, err := a.read(t); err == nil || err.Error() != want {
			t.Errorf("expected %q: %v, want %s", expected, err, want)
		}
	}
}

func TestReadAckRefuses(t *testing.T) {
	cases := []struct {
		name  string
		spoil func(*answered)
		want  error
	}{
		{"another node than expected", func(a *answered) { a.opening.ExpectID = strings.Repeat("0", 32) }, ErrWrongIdentity},
		{"no response", func(a *answered) { a.ack.ChallengeResponse = nil }, ErrHandshake},
		{"one bit of the response", func(a *answered) { a.ack.ChallengeResponse[31] ^= 1 }, ErrHandshake},
		{"a response cut short", func(a *answered) { a.ack.ChallengeResponse = a.ack.ChallengeResponse[:31] }, ErrHandshake},
		{"the challenge sent back", func(a *answered) { a.ack.ChallengeResponse = a.opening.Challenge[:] }, ErrHandshake},
		{"an answer to another challenge", func(a *answered) { a.opening.Challenge[0]++ }, ErrHandshake},
		{"a refusal", refused, ErrRefused},
		{"a refusal of the expected node", func(a *answered) {
			refused(a)
			a.opening.ExpectID = a.peer.Identity().ID
		}, ErrRefused},
		{"a refusal of another node", func(a *answered) {
			refused(a)
			a.opening.ExpectID = strings.Repeat("0", 32)
		}, ErrWrongIdentity},
		{"a refusal of another node, as a refusal", func(a *answered) {
			refused(a)
			a.opening.ExpectID = strings.Repeat("0", 32)
		}, ErrRefused},
	}
	for _, c := range cases {
		a := newAnswered(t)
		c.spoil(a)
		if _, err := a.read(t); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// The reason of a peer goes to the log: it is quoted and cut.
func TestReadAckQuotesTheReason(t *testing.T) {
	a := newAnswered(t)
	a.ack.Accepted, a.ack.Reason = false, "\x1b[2J\nroot#"+strings.Repeat("x", 5000)
	_, err := a.read(t)
	if err == nil || strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 300 {
		t.Errorf("got %.400q", err)
	}
}

func TestReadAckRefusesMalformedPayloads(t *testing.T) {
	a := newAnswered(t)
	good := string(encodeLogin(t, wire.MsgHandshakeAck, a.ack))
	for name, text := range map[string]string{
		"empty":         "",
		"a handshake":   string(encodeLogin(t, wire.MsgHandshake, goodHandshake(a.peer))),
		"a message":     strings.Replace(good, `"type":"handshake_ack"`, `"type":"stats"`, 1),
		"no accepted":   strings.Replace(good, `"accepted":true`, `"accepted":null`, 1),
		"accepted text": strings.Replace(good, `"accepted":true`, `"accepted":"true"`, 1),
		"cut":           good[:len(good)-1],
	} {
		if _, err := a.readRaw([]byte(text)); !errors.Is(err, ErrHandshake) && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
