package refpeer

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/Snider/Borg/pkg/smsg"
	"github.com/google/uuid"
)

// The transport's own message types (section 5).
const (
	TypeHandshake    = "handshake"
	TypeHandshakeAck = "handshake_ack"
	TypePing         = "ping"
	TypePong         = "pong"
	TypeDisconnect   = "disconnect"
)

// Envelope is one message (section 2). TS is kept as text, so that a test sees the sent bytes.
type Envelope struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	From    string          `json:"from"`
	To      string          `json:"to"`
	TS      string          `json:"ts"`
	Payload json.RawMessage `json:"payload"`
	ReplyTo string          `json:"replyTo,omitempty"`
}

// NewEnvelope returns a message with a new ID and the current timestamp. A nil payload is JSON null.
func NewEnvelope(typ, from, to string, payload any) (Envelope, error) {
	text, err := marshal(payload)
	if err != nil {
		return Envelope{}, err
	}
	return Envelope{
		ID:      uuid.NewString(),
		Type:    typ,
		From:    from,
		To:      to,
		TS:      Stamp(time.Now()),
		Payload: text,
	}, nil
}

// Stamp returns a time in the format of the envelope's ts.
func Stamp(t time.Time) string { return t.Format(time.RFC3339Nano) }

// marshal encodes JSON as the protocol requires: HTML characters unescaped, no newline at the end.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// Seal encrypts the JSON text of an envelope, or any other text, into an SMSG container with Borg's own code.
func Seal(body, password string) ([]byte, error) { return seal(body, password, "") }

// seal is Seal with the bind of a connection; empty: without.
func seal(body, password, bind string) ([]byte, error) {
	msg := smsg.NewMessage(body)
	if bind != "" {
		msg.SetMeta("bind", bind)
	}
	return smsg.Encrypt(msg, password)
}

// open is the inverse of seal, for envelopes.
func open(frame []byte, password string) (e Envelope, bind string, err error) {
	msg, err := smsg.Decrypt(frame, password)
	if err != nil {
		return Envelope{}, "", err
	}
	err = json.Unmarshal([]byte(msg.Body), &e)
	return e, msg.Meta["bind"], err
}
