package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxIDBytes is the maximum length of the id of a received message, in bytes (protocol section 7). Receivers store
// ids for minutes, so the limit bounds the memory that a peer can occupy.
const MaxIDBytes = 64

// Message is the envelope of all messages between nodes (protocol section 2). Fields are in the order of the keys on
// the wire.
//
// A Message is plain data: safe for concurrent reads, not for a write concurrent with any other access. A received one
// can share memory with up to 15 others ([RecordDecoder]), so a copy is better for one that is retained for long.
// An ID of [NewMessage] shares 576 bytes with 15 others.
type Message struct {
	ID        string          `json:"id"`                // UUID v4 of NewMessage; if received, 1 to 64 arbitrary bytes
	Type      MessageType     `json:"type"`              // never empty
	From      string          `json:"from"`              // node ID of the author, not of a relay
	To        string          `json:"to"`                // node ID of the recipient; empty for a broadcast
	Timestamp time.Time       `json:"ts"`                // creation time on the author's clock, in nanoseconds
	Payload   json.RawMessage `json:"payload"`           // compact JSON if made by NewMessage; null if none
	ReplyTo   string          `json:"replyTo,omitempty"` // ID of the answered message; empty if none
}

// NewMessage returns a message with a new random ID and the current time in UTC (protocol section 2). It encodes the
// payload before it returns, so the caller can change the value afterwards: nil becomes null, a json.RawMessage must be
// valid JSON and is compacted, other values are encoded by [MarshalJSON].
//
// It returns an error if t is empty, or if the payload cannot be encoded as JSON or nests too deep for receivers.
// Safe for concurrent use.
func NewMessage(t MessageType, from, to string, payload any) (*Message, error) {
	if t == "" {
		return nil, errors.New("wire: new message: empty type")
	}
	raw, err := appendPayload(nil, payload)
	if err != nil {
		return nil, fmt.Errorf("payload of new message %s: %w", quoted(string(t)), err)
	}
	return &Message{
		ID:        newID(),
		Type:      t,
		From:      from,
		To:        to,
		Timestamp: time.Now().UTC(),
		Payload:   raw,
	}, nil
}

// Renew turns m into a new message with the same type, from and to: it sets a new random ID, the current time and the
// payload, and clears ReplyTo. It encodes the payload, like [NewMessage], into the memory of the previous payload, so
// only IDs are allocated, 16 at once. It is for programs that send many messages.
//
// m must come from [NewMessage], and the caller must be the only user of m and its previous payload. Send, Post,
// Request and Broadcast do not use m after they return, with or without an error. An actor that received m uses it
// until it has answered.
//
// Errors are those of [NewMessage] for a payload; m is then unchanged.
func (m *Message) Renew(payload any) error {
	raw, err := appendPayload(m.Payload[:0], payload)
	if err != nil {
		return fmt.Errorf("payload of new message %s: %w", quoted(string(m.Type)), err)
	}
	m.ID, m.Timestamp, m.Payload, m.ReplyTo = newID(), time.Now().UTC(), raw, ""
	return nil
}

// Reply returns the answer to m: from its recipient to its sender, with ReplyTo = m.ID (protocol section 2). The
// answer to a broadcast has an empty From, which the caller must set. Errors are those of [NewMessage].
func (m *Message) Reply(t MessageType, payload any) (*Message, error) {
	reply, err := NewMessage(t, m.To, m.From, payload)
	if err != nil {
		return nil, err
	}
	reply.ReplyTo = m.ID
	return reply, nil
}

// NewErrorMessage returns an error message (protocol section 5) that tells node to that its message with the ID replyTo
// failed at node from. text is a description for display; only the size limit of frames bounds it. Errors are those of
// [NewMessage].
func NewErrorMessage(from, to string, code ErrorCode, text, replyTo string) (*Message, error) {
	m, err := NewMessage(MsgError, from, to, ErrorPayload{Code: code, Message: text})
	if err != nil {
		return nil, err
	}
	m.ReplyTo = replyTo
	return m, nil
}

// ParsePayload decodes the payload into v, a non-nil pointer, by the rules of encoding/json: unknown keys are
// ignored; null and an empty payload leave a struct unchanged. A payload that does not fit v is an [ErrMalformed].
// The error does not contain the message's type, which is input of the peer.
func (m *Message) ParsePayload(v any) error {
	payload := []byte(m.Payload)
	if len(payload) == 0 {
		payload = []byte("null")
	}
	err := json.Unmarshal(payload, v)
	if err == nil {
		return nil
	}
	if misuse := (*json.InvalidUnmarshalError)(nil); errors.As(err, &misuse) {
		return fmt.Errorf("wire: parse payload: %w", err)
	}
	if errors.Is(err, ErrMalformed) {
		return fmt.Errorf("payload: %w", err)
	}
	return fmt.Errorf("%w: payload: %s", ErrMalformed, payloadFault(err))
}

// payloadFault returns the text of an error of encoding/json without the peer's input, which that package repeats in
// full: numbers and times can be of any length.
func payloadFault(err error) string {
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &mismatch):
		found, _, _ := strings.Cut(mismatch.Value, " ")
		text := fmt.Sprintf("%s instead of %s", found, mismatch.Type)
		if mismatch.Field == "" { // the value itself
			return text
		}
		return fmt.Sprintf("%s in field %q", text, mismatch.Field)
	case errors.As(err, &syntax):
		return fmt.Sprintf("invalid JSON: %s at byte %d", syntax.Error(), syntax.Offset)
	}
	return quoted(err.Error())
}
