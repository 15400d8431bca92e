package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Decode parses an envelope (protocol section 2) from a peer: one JSON object, nested at most [MaxDepth] levels, with
// optional white space around it. Each violation of these rules is an [ErrMalformed]:
//
//   - id and type must be present and not empty; id has at most [MaxIDBytes] bytes.
//   - ts must be present, accepted by time.Time.UnmarshalJSON, and [Writable]. That method also accepts zone offsets of
//     24 hours, which no encoder can write.
//   - from, to and replyTo are strings; empty if missing.
//   - payload is any JSON, kept byte for byte; null if missing.
//   - Keys match exactly, case included, unlike in encoding/json. A key "ID" is therefore unknown, not a second id.
//   - Unknown keys are ignored at any depth, but their values must be JSON.
//   - Of duplicate keys the last one counts. A null counts as missing, except for payload. Both as in encoding/json.
//   - In strings, but not in payload, invalid UTF-8 and lone surrogates become U+FFFD.
//
// Each accepted message can be written by AppendJSON and encoding/json, and Decode accepts the result. An object
// around it is still readable by encoding/json.
//
// The message does not refer to data. Decode allocates three times: the message, all its strings, and its payload
// (separately, so that a retained ID does not retain the payload). It allocates once more if ts is in a zone other than
// UTC and the local one. Safe for concurrent use.
func Decode(data []byte) (*Message, error) { return decode(data, nil) }

func decode(data []byte, hint IDHint) (*Message, error) {
	var e envelope
	err := scanText(data, envelopeKeys, func(key, i int) (int, error) {
		end, err := e.member(key, data, i)
		if key == fieldID && err == nil && hint != nil {
			hint.Expect(e.id.raw)
		}
		return end, err
	})
	if err != nil {
		return nil, err
	}
	return e.message()
}

// envelope holds the result of one pass over a message. Its slices lie inside the message.
type envelope struct {
	id, kind, from, to, replyTo text

	ts      time.Time
	hasTS   bool
	payload []byte
}

// text is the inside of a JSON string. If plain, raw is ASCII without escapes.
type text struct {
	raw   []byte
	plain bool
}

func (t text) appendTo(dst []byte) []byte {
	if t.plain || len(t.raw) == 0 {
		return append(dst, t.raw...)
	}
	return appendUnescaped(dst, t.raw)
}

// member reads the value of a field at data[i] and returns the index after it.
func (e *envelope) member(f int, data []byte, i int) (end int, err error) {
	var into *text
	switch f {
	case fieldID:
		into = &e.id
	case fieldType:
		into = &e.kind
	case fieldFrom:
		into = &e.from
	case fieldTo:
		into = &e.to
	case fieldReplyTo:
		into = &e.replyTo
	case fieldTimestamp:
		return e.timestamp(data, i)
	case fieldPayload:
		end, err = skipValue(data, i, maxPayloadDepth)
		e.payload = data[i:end]
		return end, err
	default:
		return skipValue(data, i, maxPayloadDepth)
	}
	if isNull(data, i) {
		return i + len("null"), nil
	}
	end, plain, err := skipString(data, i)
	if err != nil {
		return end, err
	}
	*into = text{data[i+1 : end-1], plain}
	return end, nil
}

// timestamp reads ts. Like time.Time.UnmarshalJSON it does not decode escapes, so an escape is an error.
func (e *envelope) timestamp(data []byte, i int) (end int, err error) {
	if isNull(data, i) {
		return i + len("null"), nil
	}
	end, _, err = skipString(data, i)
	if err != nil {
		return end, err
	}
	inside := data[i+1 : end-1]
	if !e.parseTimestamp(inside) {
		return end, malformed("ts is not RFC 3339: " + quoted(inside))
	}
	return end, nil
}

// parseTimestamp parses the text of ts and reports whether it is a [Writable] time.
func (e *envelope) parseTimestamp(text []byte) bool {
	if e.ts.UnmarshalText(text) != nil {
		return false
	}
	e.hasTS = true
	return text[len(text)-1] == 'Z' || Writable(e.ts) // in UTC every year of four digits is writable
}

func isNull(data []byte, i int) bool {
	return len(data)-i >= 4 && string(data[i:i+4]) == "null"
}

// message checks the fields and copies them into a Message.
func (e *envelope) message() (*Message, error) {
	// An escape takes up to six bytes for one byte, so a longer text is too long even after decoding.
	if len(e.id.raw) > 6*MaxIDBytes {
		return nil, malformed("id is longer than 64 bytes: " + quoted(e.id.raw))
	}
	var buffer [256]byte
	all := e.id.appendTo(buffer[:0])
	id := len(all)
	switch {
	case id == 0:
		return nil, malformed("missing id")
	case id > MaxIDBytes:
		return nil, malformed("id is longer than 64 bytes: " + quoted(all))
	case len(e.kind.raw) == 0:
		return nil, malformed("missing type")
	case !e.hasTS:
		return nil, malformed("missing ts")
	}
	all = e.kind.appendTo(all)
	kind := len(all)
	all = e.from.appendTo(all)
	from := len(all)
	all = e.to.appendTo(all)
	to := len(all)
	all = e.replyTo.appendTo(all)

	joined := string(all)
	m := &Message{
		ID:        joined[:id],
		Type:      MessageType(joined[id:kind]),
		From:      joined[kind:from],
		To:        joined[from:to],
		Timestamp: e.ts,
		ReplyTo:   joined[to:],
	}
	if e.payload == nil {
		m.Payload = json.RawMessage("null")
	} else {
		m.Payload = bytes.Clone(e.payload)
	}
	return m, nil
}

// checkObject requires a JSON object nested at most maxDepth levels. It runs before encoding/json, which recurses.
func checkObject(payload []byte, maxDepth int) error {
	i := skipSpace(payload, 0)
	if i >= len(payload) || payload[i] != '{' {
		return malformed("payload is not a JSON object")
	}
	end, err := skipValue(payload, i, maxDepth)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	if end = skipSpace(payload, end); end < len(payload) {
		return malformedAt("data after the payload", end)
	}
	return nil
}
