package wire

import (
	"fmt"

	"github.com/Snider/go-p2p/wire/internal/verbatim"
)

// AppendJSON appends the envelope to dst and returns the longer slice (protocol
// section 2): the keys id, type, from, to, ts, payload and, when it is not
// empty, replyTo, in this order, with HTML characters as they are and without a
// newline. It allocates nothing when dst has the room.
//
// The payload is written as it is, and as null when it is empty. It is not
// checked: that would cost another pass over every message, and both ways to
// get one here, [NewMessage] and [Decode], have checked it. Whoever sets
// Payload by hand answers for it being valid JSON. For a valid and compact
// payload the result equals MarshalJSON(m) byte for byte; one with spaces in it
// keeps them here and loses them there.
//
// The only error is a Timestamp that RFC 3339 cannot express (a year outside
// 0 to 9999, a zone of 24 hours or more); dst is then returned as it was.
//
// Safe for concurrent use as long as nobody changes m.
//
// [Message.AppendEscaped] writes the same, once more escaped: a change here needs
// one there.
func (m *Message) AppendJSON(dst []byte) ([]byte, error) {
	out := append(dst, `{"id":`...)
	out = appendQuoted(out, m.ID)
	out = append(out, `,"type":`...)
	out = appendQuoted(out, string(m.Type))
	out = append(out, `,"from":`...)
	out = appendQuoted(out, m.From)
	out = append(out, `,"to":`...)
	out = appendQuoted(out, m.To)
	out = append(out, `,"ts":"`...)
	out, err := m.Timestamp.AppendText(out)
	if err != nil {
		return dst, fmt.Errorf("wire: timestamp: %w", err)
	}
	out = append(out, `","payload":`...)
	if len(m.Payload) == 0 {
		out = append(out, "null"...)
	} else {
		out = append(out, m.Payload...)
	}
	if m.ReplyTo != "" {
		out = append(out, `,"replyTo":`...)
		out = appendQuoted(out, m.ReplyTo)
	}
	return append(out, '}'), nil
}

// AppendEscaped appends what AppendJSON appends, escaped as the inside of a JSON
// string (protocol section 4, body): the same as escape(dst, text) for the text
// of AppendJSON, in one pass and half the time, since nearly all but the payload
// is known to need no escape or where it needs one.
//
// Escape appends text as the inside of a JSON string, without the quotes. It has
// to leave as it is what stands for itself there, and write \" for a quote. Errors
// and all else as with AppendJSON.
func (m *Message) AppendEscaped(dst []byte, escape func(dst, text []byte) []byte) ([]byte, error) {
	out := append(dst, `{\"id\":`...)
	out = appendQuotedEscaped(out, m.ID, escape)
	out = append(out, `,\"type\":`...)
	out = appendQuotedEscaped(out, string(m.Type), escape)
	out = append(out, `,\"from\":`...)
	out = appendQuotedEscaped(out, m.From, escape)
	out = append(out, `,\"to\":`...)
	out = appendQuotedEscaped(out, m.To, escape)
	out = append(out, `,\"ts\":\"`...)
	out, err := m.Timestamp.AppendText(out)
	if err != nil {
		return dst, fmt.Errorf("wire: timestamp: %w", err)
	}
	out = append(out, `\",\"payload\":`...)
	if len(m.Payload) == 0 {
		out = append(out, "null"...)
	} else {
		out = escape(out, m.Payload)
	}
	if m.ReplyTo != "" {
		out = append(out, `,\"replyTo\":`...)
		out = appendQuotedEscaped(out, m.ReplyTo, escape)
	}
	return append(out, '}'), nil
}

// appendQuotedEscaped appends s as a JSON string, escaped once more.
func appendQuotedEscaped(dst []byte, s string, escape func(dst, text []byte) []byte) []byte {
	if verbatim.LenString(s) < len(s) { // no ID that a node makes
		return escape(dst, appendQuoted(nil, s))
	}
	dst = append(dst, `\"`...)
	dst = append(dst, s...)
	return append(dst, `\"`...)
}
