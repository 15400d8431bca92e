package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxIDBytes is the longest id that a received message may have (protocol
// section 7): ids are remembered for minutes, so their size is a peer's hold on
// our memory.
const MaxIDBytes = 64

// Message is the envelope of everything that nodes say to each other (protocol
// section 2). The order of the fields is the order of the keys on the wire.
//
// A Message is plain data: safe for concurrent readers, and not for a writer
// beside them.
type Message struct {
	ID        string          `json:"id"`                // UUID v4 when made here; on receipt 1 to 64 bytes of anything
	Type      MessageType     `json:"type"`              // never empty
	From      string          `json:"from"`              // node ID of the node that made the message, not of the one that relays it
	To        string          `json:"to"`                // node ID of the recipient; empty for a broadcast
	Timestamp time.Time       `json:"ts"`                // when it was made, on the maker's clock; nanoseconds
	Payload   json.RawMessage `json:"payload"`           // compact JSON when made here; null when there is none
	ReplyTo   string          `json:"replyTo,omitempty"` // ID of the message that this one answers
}

// NewMessage makes a message with a fresh random ID and the present time in UTC
// (protocol section 2). The payload is encoded at once, so the caller may
// change it afterwards: nil becomes null, a json.RawMessage must be valid JSON
// and is compacted, anything else is written as by [MarshalJSON].
//
// It fails when t is empty (every receiver would refuse the message) and when
// the payload cannot be written as JSON or nests too deep for a receiver.
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

// Renew makes m the next message of its kind: of the same type, from and to, with
// a fresh random ID, the present time and another payload, and no ReplyTo. It is
// for programs that send much: the payload is encoded, as by [NewMessage], into
// the memory of the last one, so all it leaves to the garbage collector is an ID.
//
// m has to be one that [NewMessage] made, and the caller's own: nobody else may use
// it or its last payload any more. Send, Post, Request and Broadcast have copied
// what they need when they return, whatever they return. A message given to an
// actor is read until the actor has answered.
//
// The error is that of a payload that cannot be written as JSON; then m is as it
// was.
func (m *Message) Renew(payload any) error {
	raw, err := appendPayload(m.Payload[:0], payload)
	if err != nil {
		return fmt.Errorf("payload of new message %s: %w", quoted(string(m.Type)), err)
	}
	m.ID, m.Timestamp, m.Payload, m.ReplyTo = newID(), time.Now().UTC(), raw, ""
	return nil
}

// Reply makes the message that answers m: from its recipient to its sender,
// with ReplyTo = m.ID (protocol section 2). The answer to a broadcast has an
// empty From, which the caller fills in. Errors as for [NewMessage].
func (m *Message) Reply(t MessageType, payload any) (*Message, error) {
	reply, err := NewMessage(t, m.To, m.From, payload)
	if err != nil {
		return nil, err
	}
	reply.ReplyTo = m.ID
	return reply, nil
}

// NewErrorMessage makes an error message (protocol section 5): it reports to node to that the message with the ID
// replyTo failed at node from. text is for people, at most as long as a message allows. Errors as for [NewMessage].
func NewErrorMessage(from, to string, code ErrorCode, text, replyTo string) (*Message, error) {
	m, err := NewMessage(MsgError, from, to, ErrorPayload{Code: code, Message: text})
	if err != nil {
		return nil, err
	}
	m.ReplyTo = replyTo
	return m, nil
}

// ParsePayload decodes the payload into v, a non-nil pointer, by the rules of
// encoding/json: unknown keys are ignored, and null (or no payload at all)
// leaves a struct as it is. A payload of another shape is an [ErrMalformed]; its
// text does not name the message's type, which is the peer's input too.
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

// payloadFault words an error of encoding/json without its habit of repeating
// the input in full: the texts of numbers and times are as long as a peer likes.
func payloadFault(err error) string {
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &mismatch):
		found, _, _ := strings.Cut(mismatch.Value, " ")
		return fmt.Sprintf("%s where %s belongs, in field %q", found, mismatch.Type, mismatch.Field)
	case errors.As(err, &syntax):
		return fmt.Sprintf("no JSON: %s, at byte %d", syntax.Error(), syntax.Offset)
	}
	return quoted(err.Error())
}
