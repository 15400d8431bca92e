package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// FeatureSingleConnection is announced by a node that keeps one connection a
// peer, and lets go of the other only when that one closes (protocol section
// 7). Towards a peer that does not announce it a duplicate must stay open.
const FeatureSingleConnection = "single-connection"

// MaxHandshakeDepth is how deep the payload of a handshake may nest. Honest
// ones need two levels; the rest is room for keys that we do not know.
const MaxHandshakeDepth = 32

// Limits of the features that a node looks at in a peer's handshake.
const (
	MaxFeatures     = 32 // entries
	MaxFeatureBytes = 64 // bytes of printable ASCII in each
)

// ReceivedFeatures returns the entries of a peer's feature list that count: of
// the first 32 those that are 1 to 64 bytes of printable ASCII. The others are
// ignored, like features that this node does not know. The result does not share
// memory with a list that was cut.
func ReceivedFeatures(features []string) []string {
	var kept []string
	for _, feature := range features[:min(len(features), MaxFeatures)] {
		if validFeature(feature) {
			kept = append(kept, feature)
		}
	}
	return kept
}

func validFeature(feature string) bool {
	for _, c := range []byte(feature) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return feature != "" && len(feature) <= MaxFeatureBytes
}

// Identity is how a node introduces itself (protocol section 1), in the order
// of keys of the wire. Received ones are claims: nothing here checks that ID
// belongs to PublicKey, or that the peer has the private key.
type Identity struct {
	ID        string    `json:"id"`        // node ID: 32 lower-case hex characters
	Name      string    `json:"name"`      // for people
	PublicKey string    `json:"publicKey"` // standard base64 with padding of 32 bytes
	CreatedAt time.Time `json:"createdAt"` // RFC 3339
	Role      string    `json:"role"`      // controller, worker or dual
}

// HandshakePayload is the payload of a handshake (protocol section 3).
type HandshakePayload struct {
	Identity  Identity `json:"identity"`
	Challenge Base64   `json:"challenge"` // 32 random bytes
	Version   string   `json:"version"`   // see [VersionSupported]
	Features  []string `json:"features,omitempty"`
}

// HandshakeAckPayload is the payload of a handshake_ack (protocol section 3):
// either Accepted with a ChallengeResponse, or not, with a Reason.
type HandshakeAckPayload struct {
	Identity          Identity `json:"identity"`
	ChallengeResponse Base64   `json:"challengeResponse,omitempty"` // 32 bytes
	Accepted          bool     `json:"accepted"`
	Reason            string   `json:"reason,omitempty"` // the peer's text: quote it in logs
	Features          []string `json:"features,omitempty"`
}

// Base64 is a byte slice that is standard base64 with padding in JSON, like any
// []byte, but reads only the canonical form (protocol section 7). Encoding/json
// skips newlines and ignores spare bits, so that many texts would mean the same
// challenge.
type Base64 []byte

// UnmarshalJSON decodes a JSON string with canonical base64 in it; null makes b
// nil. Anything else is an [ErrMalformed].
func (b *Base64) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*b = nil
		return nil
	}
	end, _, err := skipString(data, 0)
	if err != nil || end != len(data) {
		return malformed("base64 is not a string")
	}
	encoded := appendUnescaped(nil, data[1:end-1])
	// Even strict decoding skips these two.
	if bytes.ContainsAny(encoded, "\r\n") {
		return malformed("newline in base64")
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(string(encoded))
	if err != nil {
		return malformed("not canonical base64: " + quoted(encoded))
	}
	*b = decoded
	return nil
}

// DecodeHandshake returns the payload of a message of type [MsgHandshake]
// (protocol section 3). It checks shapes only: a JSON object in UTF-8, at most
// [MaxHandshakeDepth] deep, each key of its type, base64 canonical. Whether
// version, identity and the length of the challenge will do is for the caller
// to judge; missing keys are zero values. Errors are an [ErrMalformed].
func DecodeHandshake(m *Message) (HandshakePayload, error) {
	var p HandshakePayload
	err := decodeLogin(m, MsgHandshake, &p)
	if err != nil {
		return HandshakePayload{}, err
	}
	return p, nil
}

// DecodeHandshakeAck returns the payload of a message of type
// [MsgHandshakeAck], checked like that of [DecodeHandshake].
func DecodeHandshakeAck(m *Message) (HandshakeAckPayload, error) {
	var p HandshakeAckPayload
	err := decodeLogin(m, MsgHandshakeAck, &p)
	if err != nil {
		return HandshakeAckPayload{}, err
	}
	return p, nil
}

func decodeLogin(m *Message, want MessageType, v any) error {
	if m.Type != want {
		return malformed("type " + quoted(string(m.Type)) + " instead of " + string(want))
	}
	if !utf8.Valid(m.Payload) {
		return malformed(string(want) + " is not UTF-8")
	}
	if err := checkObject(m.Payload, MaxHandshakeDepth); err != nil {
		return fmt.Errorf("%s: %w", want, err)
	}
	return m.ParsePayload(v)
}

// LaterDialect reports whether data, the first message of a peer, is in the later dialect that calls itself version
// 1.0 too (protocol section 8): a JSON object with the key "timestamp" and without the key "ts". Data should be
// bounded by the caller: it is parsed whole.
func LaterDialect(data []byte) bool {
	var keys struct {
		Timestamp json.RawMessage `json:"timestamp"`
		TS        json.RawMessage `json:"ts"`
	}
	return json.Unmarshal(data, &keys) == nil && keys.Timestamp != nil && keys.TS == nil
}
