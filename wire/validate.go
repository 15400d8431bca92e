package wire

import (
	"errors"
	"fmt"
	"time"
)

// ErrInvalid is wrapped by every error of [Message.Validate].
var ErrInvalid = errors.New("invalid message")

// Writable reports whether RFC 3339 can express t in its own zone and in UTC: a year from 0 to 9999 and a zone offset
// of less than 24 hours.
func Writable(t time.Time) bool {
	if s := t.Unix(); t.Location() == time.UTC && s >= firstSecond && s <= lastSecond {
		return true
	}
	_, offset := t.Zone()
	return writableYear(t) && writableYear(t.UTC()) && offset > -24*3600 && offset < 24*3600
}

// The years 0 to 9999 in UTC, as Unix seconds.
const (
	firstSecond = -62_167_219_200
	lastSecond  = 253_402_300_799
)

func writableYear(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }

// Validate returns nil if a receiver that follows the protocol can accept m, or an [ErrInvalid] with the fault and a
// remedy. The rules are those of [Decode] and three more: handshake types are invalid in a frame, strings must be
// UTF-8, because other bytes would arrive changed, and a zero Timestamp is a missing one.
//
// It does not check conditions that depend on the receiver: allowed clock skew, size limit, duplicate IDs.
//
// It scans the payload as JSON, at 0.1 to 0.3 ns per byte of text. It allocates nothing if it returns nil. Safe for
// concurrent use while m is not modified.
func (m *Message) Validate() error {
	switch {
	case m == nil:
		return invalid("the message is nil", "pass a message made with NewMessage")
	case m.ID == "":
		return invalid("the id is empty", "make it with NewMessage, or set ID")
	case len(m.ID) > MaxIDBytes:
		return invalid(fmt.Sprintf("the id has %d bytes", len(m.ID)), fmt.Sprintf("use at most %d", MaxIDBytes))
	case m.Type == "":
		return invalid("the type is empty", "set Type")
	case m.Type == MsgHandshake || m.Type == MsgHandshakeAck:
		return invalid("the type "+string(m.Type)+" belongs to the handshake", "use a type of the application")
	case m.Timestamp.IsZero():
		return invalid("the timestamp is missing", "make the message with NewMessage, or set Timestamp to the current time")
	case !Writable(m.Timestamp):
		return invalid("RFC 3339 cannot express the timestamp", "use a year from 0 to 9999 and a zone of less than 24 hours")
	}
	for _, s := range [...]string{m.ID, string(m.Type), m.From, m.To, m.ReplyTo} {
		if !validText(s) {
			return invalid("id, type, from, to or replyTo is not UTF-8", "set them to text")
		}
	}
	return validPayload(m.Payload)
}

// validPayload checks the JSON of a payload. An empty payload is valid: encoders write null.
func validPayload(payload []byte) error {
	if len(payload) == 0 || isPlainString(payload) {
		return nil
	}
	end, err := skipValue(payload, 0, maxPayloadDepth)
	if err != nil {
		return invalid("the payload is not JSON that receivers accept ("+err.Error()+")", "encode it with NewMessage")
	}
	if end = skipSpace(payload, end); end < len(payload) {
		return invalid(fmt.Sprintf("the payload continues after its JSON value at byte %d", end), "encode it with NewMessage")
	}
	return nil
}

// invalid returns an ErrInvalid with the fault of an outbound message and a remedy.
func invalid(fault, remedy string) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalid, fault, remedy)
}
