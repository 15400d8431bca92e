package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// FeatureSingleConnection is announced by a node that keeps one connection per peer and closes a duplicate (protocol
// section 7). Duplicates of peers that do not announce it must stay open.
const FeatureSingleConnection = "single-connection"

// MaxHandshakeDepth is the maximum nesting of a handshake payload, in levels. Known keys need two levels; the rest
// allows for unknown keys.
const MaxHandshakeDepth = 32

// Limits of the features that a node reads from a peer's handshake.
const (
	MaxFeatures     = 32 // entries
	MaxFeatureBytes = 64 // bytes of printable ASCII in each
)

// ReceivedFeatures returns the valid entries of a peer's feature list: of the first 32, those of 1 to 64 bytes of
// printable ASCII. It ignores the others, like unknown features. The result is a new slice.
func ReceivedFeatures(features []string) []string {
	var kept []string
	for _, feature := range features[:min(len(features), MaxFeatures)] {
		if ValidFeature(feature) {
			kept = append(kept, feature)
		}
	}
	return kept
}

// ValidFeature reports whether feature is an entry that ReceivedFeatures keeps.
func ValidFeature(feature string) bool {
	for _, c := range []byte(feature) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return feature != "" && len(feature) <= MaxFeatureBytes
}

// Identity describes a node in its handshake (protocol section 1). Fields are in the order of the keys on the wire. A
// received Identity is an unverified claim: this package checks neither that ID belongs to PublicKey nor that the
// peer holds the private key.
type Identity struct {
	ID        string    `json:"id"`        // node ID: 32 lower-case hex characters
	Name      string    `json:"name"`      // for display
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

	Session *SessionOffer `json:"session,omitempty"` // with FeatureSession only; nil: SMSG frames
}

// HandshakeAckPayload is the payload of a handshake_ack (protocol section 3): Accepted with a ChallengeResponse, or not
// Accepted with a Reason.
type HandshakeAckPayload struct {
	Identity          Identity `json:"identity"`
	ChallengeResponse Base64   `json:"challengeResponse,omitempty"` // 32 bytes
	Accepted          bool     `json:"accepted"`
	Reason            string   `json:"reason,omitempty"` // the peer's text: quote it in logs
	Features          []string `json:"features,omitempty"`

	Session *SessionAnswer `json:"session,omitempty"` // with FeatureSession only; nil: SMSG frames
}

// Base64 is a byte slice encoded in JSON as standard base64 with padding, like []byte. It decodes the canonical form
// only (protocol section 7): encoding/json skips newlines and ignores spare bits, so several texts would be the same
// challenge.
type Base64 []byte

// UnmarshalJSON decodes a JSON string of canonical base64; null sets b to nil. Other input is an [ErrMalformed].
func (b *Base64) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*b = nil
		return nil
	}
	end, plain, err := skipString(data, 0)
	if err != nil || end != len(data) {
		return malformed("base64 is not a string")
	}
	encoded := data[1 : end-1]
	if !plain {
		encoded = appendUnescaped(nil, encoded)
	}
	// The decoder skips both in strict mode too.
	if bytes.ContainsAny(encoded, "\r\n") {
		return malformed("newline in base64")
	}
	decoded := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Strict().Decode(decoded, encoded)
	if err != nil {
		return malformed("not canonical base64: " + quoted(encoded))
	}
	*b = decoded[:n]
	return nil
}

// DecodeHandshake returns the payload of a message of type [MsgHandshake] (protocol section 3). It checks the form
// only: a JSON object in UTF-8, nested at most [MaxHandshakeDepth] levels, each key of its type, base64 canonical.
// Missing keys are zero values, but [FeatureSession] and the key session must come together. The caller must check
// version, identity and length of the challenge. Errors are an [ErrMalformed].
func DecodeHandshake(m *Message) (HandshakePayload, error) {
	var p HandshakePayload
	err := decodeLogin(m, MsgHandshake, &p)
	if err == nil {
		err = checkSessionFeature(p.Features, p.Session != nil)
	}
	if err != nil {
		return HandshakePayload{}, err
	}
	return p, nil
}

// DecodeHandshakeAck returns the payload of a message of type [MsgHandshakeAck], with the checks of [DecodeHandshake].
// In a refusal, the feature and the key session need not come together: the reason matters more.
func DecodeHandshakeAck(m *Message) (HandshakeAckPayload, error) {
	var p HandshakeAckPayload
	err := decodeLogin(m, MsgHandshakeAck, &p)
	if err == nil && p.Accepted {
		err = checkSessionFeature(p.Features, p.Session != nil)
	}
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

// LaterDialect reports whether data, the first message of a peer, uses the later dialect that also announces version
// 1.0 (protocol section 8): a JSON object with the key "timestamp" and without the key "ts". It parses all of data,
// so the caller must limit the size.
func LaterDialect(data []byte) bool {
	var keys struct {
		Timestamp json.RawMessage `json:"timestamp"`
		TS        json.RawMessage `json:"ts"`
	}
	return json.Unmarshal(data, &keys) == nil && keys.Timestamp != nil && keys.TS == nil
}
