package actors

import (
	"bytes"
	"errors"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// inLaterDialect renames the key "ts" of an encoded message.
func inLaterDialect(data []byte) []byte {
	return bytes.Replace(data, []byte(`"ts":`), []byte(`"timestamp":`), 1)
}

func TestLaterDialectIsNamedBothWays(t *testing.T) {
	self, peer := newKeys(t, "self"), newKeys(t, "peer")
	first := encodeLogin(t, wire.MsgHandshake, goodHandshake(peer))
	if _, _, no := readHandshake(inLaterDialect(first), self.PublicKey(), true); no == nil ||
		no.reason != wire.ReasonInvalidHandshake ||
		!errors.Is(no.detail, ErrLaterDialect) || !errors.Is(no.detail, ErrHandshake) {
		t.Errorf("first message: %+v", no)
	}
	a := newAnswered(t)
	_, err := a.readRaw(inLaterDialect(encodeLogin(t, wire.MsgHandshakeAck, a.ack)))
	if !errors.Is(err, ErrLaterDialect) || !errors.Is(err, ErrHandshake) {
		t.Errorf("ack: %v", err)
	}
}

func TestLaterDialectNeedsItsKey(t *testing.T) {
	self, peer := newKeys(t, "self"), newKeys(t, "peer")
	first := string(encodeLogin(t, wire.MsgHandshake, goodHandshake(peer)))
	for name, data := range map[string]string{
		"not JSON":                `{"timestamp":1`,
		"not an object":           `["timestamp"]`,
		"no time at all":          `{"id":"x","type":"handshake"}`,
		"timestamp in payload":    `{"id":"x","type":"handshake","payload":{"timestamp":1}}`,
		"a bad ts beside it":      `{"id":"x","type":"handshake","ts":"yesterday","timestamp":1}`,
		"both keys, a bad id too": `{"id":"","timestamp":1,` + first[1:],
	} {
		_, _, no := readHandshake([]byte(data), self.PublicKey(), true)
		if no != nil && errors.Is(no.detail, ErrLaterDialect) {
			t.Errorf("%s: taken for the later dialect", name)
		}
	}
	if _, challenge, no := readHandshake([]byte(`{"timestamp":1,`+first[1:]), self.PublicKey(), true); no != nil ||
		challenge == [crypto.ChallengeSize]byte{} {
		t.Errorf("a message of this dialect with an unknown key timestamp: %+v", no)
	}
}
