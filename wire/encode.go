package wire

import (
	"fmt"

	"github.com/Snider/go-p2p/wire/internal/plainprefix"
)

// AppendJSON appends the envelope to dst and returns the extended slice (protocol section 2): the keys id, type,
// from, to, ts, payload and, if not empty, replyTo, in this order. It does not escape HTML characters and adds no
// newline. It allocates nothing if dst has sufficient capacity.
//
// The payload is appended unchanged, or as null if empty. AppendJSON does not check it: [NewMessage] and [Decode]
// have. A caller that sets Payload directly must set valid JSON. For a valid, compact payload the result equals
// MarshalJSON(m) byte for byte; AppendJSON keeps white space in a payload, MarshalJSON removes it.
//
// The only error is a Timestamp that RFC 3339 cannot express (a year outside 0 to 9999, or a zone offset of 24 hours or
// more); AppendJSON then returns dst unchanged.
//
// Safe for concurrent use while m is not modified.
func (m *Message) AppendJSON(dst []byte) ([]byte, error) {
	out, err := textLayout.appendHead(dst, m)
	if err != nil {
		return dst, err
	}
	return textLayout.appendTail(append(out, m.payload()...), m), nil
}

// layout is the constant text around the values of an envelope.
type layout struct {
	before [fieldReplyTo + 1]string // text before each value, including the quotes of strings
	end    string                   // end of an envelope without replyTo
	last   string                   // end of an envelope with replyTo

	escape func(dst []byte, s string) []byte // for strings that are not plain
}

var textLayout = layout{
	before: [...]string{
		fieldID: `{"id":"`, fieldType: `","type":"`, fieldFrom: `","from":"`, fieldTo: `","to":"`,
		fieldTimestamp: `","ts":"`, fieldPayload: `","payload":`, fieldReplyTo: `,"replyTo":"`,
	},
	end: `}`, last: `"}`, escape: appendEscaped,
}

// bodyLayout is textLayout escaped for the inside of a JSON string.
var bodyLayout = func() (l layout) {
	escaped := func(s string) string { return string(appendBody(nil, []byte(s))) }
	for i, text := range textLayout.before {
		l.before[i] = escaped(text)
	}
	l.end, l.last = escaped(textLayout.end), escaped(textLayout.last)
	l.escape = func(dst []byte, s string) []byte { return appendBody(dst, appendEscaped(nil, s)) }
	return l
}()

// appendText appends the string value of a field.
func (l *layout) appendText(dst []byte, field int, value string) []byte {
	dst = append(dst, l.before[field]...)
	if plainprefix.LenString(value) < len(value) {
		return l.escape(dst, value)
	}
	return append(dst, value...)
}

// appendHead appends the envelope up to the payload. On an error it returns dst unchanged.
func (l *layout) appendHead(dst []byte, m *Message) ([]byte, error) {
	out := l.appendText(dst, fieldID, m.ID)
	out = l.appendText(out, fieldType, string(m.Type))
	out = l.appendText(out, fieldFrom, m.From)
	out = l.appendText(out, fieldTo, m.To)
	out = append(out, l.before[fieldTimestamp]...)
	out, err := m.Timestamp.AppendText(out)
	if err != nil {
		return dst, fmt.Errorf("wire: timestamp: %w", err)
	}
	return append(out, l.before[fieldPayload]...), nil
}

// appendTail appends the part of the envelope after the payload.
func (l *layout) appendTail(dst []byte, m *Message) []byte {
	if m.ReplyTo == "" {
		return append(dst, l.end...)
	}
	return append(l.appendText(dst, fieldReplyTo, m.ReplyTo), l.last...)
}

// payload returns the JSON text of the payload.
func (m *Message) payload() []byte {
	if len(m.Payload) == 0 {
		return null
	}
	return m.Payload
}

var null = []byte("null")
