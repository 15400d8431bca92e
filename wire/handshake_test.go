package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

var alice = Identity{
	ID:        "6b4c195b5338ff84876cc6de1b1118bf",
	Name:      "alice <a@b>",
	PublicKey: "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
	CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	Role:      "dual",
}

const (
	aliceJSON = `{"id":"6b4c195b5338ff84876cc6de1b1118bf","name":"alice <a@b>",` +
		`"publicKey":"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=","createdAt":"2026-01-02T03:04:05Z","role":"dual"}`
	zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

func TestHandshakePayloadsMatchTheWire(t *testing.T) {
	zero := make([]byte, 32)
	hello := HandshakePayload{Identity: alice, Challenge: zero, Version: "1.0"}
	helloMore := hello
	helloMore.Features = []string{FeatureSingleConnection}
	yes := HandshakeAckPayload{Identity: alice, ChallengeResponse: zero, Accepted: true}
	no := HandshakeAckPayload{Identity: alice, Reason: ReasonNotAuthorized, Features: []string{"x"}}
	for want, payload := range map[string]any{
		`{"identity":` + aliceJSON + `,"challenge":"` + zeros + `","version":"1.0"}`: hello,
		`{"identity":` + aliceJSON + `,"challenge":"` + zeros + `","version":"1.0",` +
			`"features":["single-connection"]}`: helloMore,
		`{"identity":` + aliceJSON + `,"challengeResponse":"` + zeros + `","accepted":true}`:              yes,
		`{"identity":` + aliceJSON + `,"accepted":false,"reason":"peer not authorized","features":["x"]}`: no,
	} {
		kind := MsgHandshake
		if _, ok := payload.(HandshakeAckPayload); ok {
			kind = MsgHandshakeAck
		}
		m, err := NewMessage(kind, "f", "t", payload)
		if err != nil || string(m.Payload) != want {
			t.Fatalf("got  %s, %v\nwant %s", m.Payload, err, want)
		}
		var again any
		if kind == MsgHandshake {
			again, err = DecodeHandshake(m)
		} else {
			again, err = DecodeHandshakeAck(m)
		}
		if err != nil || !reflect.DeepEqual(again, payload) {
			t.Errorf("decoded %+v, %v", again, err)
		}
	}
}

func TestDecodeHandshakeAcceptsMissingKeys(t *testing.T) {
	deep := strings.Repeat("[", MaxHandshakeDepth-1) + strings.Repeat("]", MaxHandshakeDepth-1)
	for _, payload := range []string{
		`{}`, // missing keys are the zero value
		`{"x":` + deep + `}`,
		`{"challenge":null,"features":null,"identity":{"x":1}}`,
	} {
		got, err := DecodeHandshake(&Message{Type: MsgHandshake, Payload: json.RawMessage(payload)})
		if err != nil || !reflect.DeepEqual(got, HandshakePayload{}) {
			t.Errorf("%s: got %+v, %v", payload, got, err)
		}
	}
}

func TestDecodeHandshakeRefusesInvalidPayloads(t *testing.T) {
	for _, payload := range []string{
		``, `null`, `[]`, `"x"`, `{`, `{}{}`, `{} x`, `{"a":1,}`,
		`{"identity":[]}`,
		`{"identity":{"id":1}}`,
		`{"identity":{"createdAt":"today"}}`,
		`{"version":1.0}`,
		`{"features":"single-connection"}`,
		`{"features":[1]}`,
		`{"accepted":1,"challenge":1}`,
		`{"challenge":"AA==\n","challengeResponse":"AA==\n"}`,
		`{"challenge":"AB==","challengeResponse":"AB=="}`,
		`{"x":` + strings.Repeat("[", MaxHandshakeDepth) + strings.Repeat("]", MaxHandshakeDepth) + `}`,
		strings.Repeat(`{"identity":`, 100_000) + `1` + strings.Repeat(`}`, 100_000),
	} {
		hello, err := DecodeHandshake(&Message{Type: MsgHandshake, Payload: json.RawMessage(payload)})
		if !errors.Is(err, ErrMalformed) || !reflect.DeepEqual(hello, HandshakePayload{}) {
			t.Errorf("handshake %.80s: %+v, %v", payload, hello, err)
		}
		payload = strings.Replace(payload, `"version":1.0`, `"reason":1`, 1)
		ack, err := DecodeHandshakeAck(&Message{Type: MsgHandshakeAck, Payload: json.RawMessage(payload)})
		if !errors.Is(err, ErrMalformed) || !reflect.DeepEqual(ack, HandshakeAckPayload{}) {
			t.Errorf("handshake_ack %.80s: %+v, %v", payload, ack, err)
		}
	}
	m := &Message{Type: MsgHandshakeAck, Payload: json.RawMessage(`{}`)}
	if _, err := DecodeHandshake(m); !errors.Is(err, ErrMalformed) ||
		err.Error() != `malformed message: type "handshake_ack" instead of handshake` {
		t.Errorf("an ack as a handshake: %v", err)
	}
}

func TestBase64AcceptsCanonicalFormOnly(t *testing.T) {
	for in, want := range map[string][]byte{
		`""`:                  {},
		`"AA=="`:              {0},
		`"+/8="`:              {0xfb, 0xff},
		`"\u002b\/8="`:        {0xfb, 0xff}, // JSON escapes are decoded first
		`"` + zeros + `"`:     make([]byte, 32),
		`null`:                nil,
		`"AB=="`:              nil, // spare bits
		`"AAB="`:              nil, // spare bits
		`"AA"`:                nil, // no padding
		`"AA="`:               nil, // incomplete padding
		`"AA==="`:             nil,
		`"AA==AA=="`:          nil, // two texts
		`"A\nA=="`:            nil,
		`"AA==\r\n"`:          nil,
		`" AA=="`:             nil,
		`"-_8="`:              nil, // the URL alphabet
		`1`:                   nil,
		`[0]`:                 nil,
		`{}`:                  nil,
		`"` + zeros[1:] + `"`: nil,
	} {
		var got Base64
		err := json.Unmarshal([]byte(in), &got)
		if refused := want == nil && in != "null"; refused != (err != nil) || refused != errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %v", in, got, err)
		}
		if err == nil && (!bytes.Equal(got, want) || (got == nil) != (want == nil)) {
			t.Errorf("%s: got %v, want %v", in, got, want)
		}
	}
	var b Base64
	for _, in := range []string{``, `"`, `"AA==`, `"AA==" `, `nul`} {
		if err := b.UnmarshalJSON([]byte(in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("called with %q: %v", in, err)
		}
	}
}
