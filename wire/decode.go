package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Decode reads an envelope (protocol section 2) that came from a peer. Data is
// one JSON object and nothing after it but spaces; nested at most [MaxDepth]
// deep. The rules, all violations of which are an [ErrMalformed]:
//
//   - id and type are there and not empty; id has at most [MaxIDBytes] bytes.
//   - ts is there, is what time.Time.UnmarshalJSON takes for RFC 3339, and is
//     [Writable]: that method also reads zones of 24 hours, which no encoder
//     writes.
//   - from, to and replyTo are strings; empty when they are missing.
//   - payload is any JSON, kept as it came; null when it is missing.
//   - Names of keys match exactly, case included, unlike in encoding/json:
//     nobody can slip a second "ID" past one that looks only for "id".
//   - Unknown keys are ignored, however deep, but must be JSON.
//   - Of a key that comes twice the last one counts; null for anything but
//     payload counts as not being there. Both as in encoding/json.
//   - Bytes that are not UTF-8 and lone surrogates become U+FFFD, in strings
//     but not inside the payload.
//
// Every message that Decode accepts, AppendJSON and encoding/json write, and
// Decode accepts the result; an object around it is still readable by
// encoding/json.
//
// Nothing refers to data afterwards, so the caller can use it again. A message
// costs three allocations: itself, its strings in one, and its payload (apart,
// so that a program that keeps an ID does not keep a payload alive); one more when ts
// is in another zone than UTC and the local one. Safe for concurrent use.
func Decode(data []byte) (*Message, error) { return decode(data, &Hint{}) }

func decode(data []byte, hint *Hint) (*Message, error) {
	var e envelope
	err := scanText(data, envelopeKeys, func(key, i int) (int, error) {
		end, err := e.member(key, data, i)
		if key == fieldID && err == nil && hint.IDs != nil {
			hint.IDs.Expect(e.id.raw)
		}
		return end, err
	})
	if err != nil {
		return nil, err
	}
	return e.message(hint.From, hint.To)
}

// envelope is what one pass over a message finds: slices of it, not copies.
type envelope struct {
	id, kind, from, to, replyTo text

	ts      time.Time
	stamped bool
	payload []byte
}

// text is the inside of a JSON string, with its escapes unless it is plain.
type text struct {
	raw   []byte
	plain bool
}

// is reports whether the text is exactly s; false may also mean that it is written
// in another way.
func (t text) is(s string) bool { return t.plain && string(t.raw) == s }

func (t text) appendTo(dst []byte) []byte {
	if t.plain || len(t.raw) == 0 {
		return append(dst, t.raw...)
	}
	return appendUnescaped(dst, t.raw)
}

// member takes the value that begins at data[i] for a field and returns where
// it ends.
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
		return e.stamp(data, i)
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

// stamp reads ts. Like time.Time.UnmarshalJSON it takes the inside of the
// string as it is, so an escape in it is an error.
func (e *envelope) stamp(data []byte, i int) (end int, err error) {
	if isNull(data, i) {
		return i + len("null"), nil
	}
	end, _, err = skipString(data, i)
	if err != nil {
		return end, err
	}
	inside := data[i+1 : end-1]
	if !e.parseStamp(inside) {
		return end, malformed("ts is not RFC 3339: " + quoted(inside))
	}
	return end, nil
}

// parseStamp reads the text of ts and reports whether it is a time that can be
// written again.
func (e *envelope) parseStamp(text []byte) bool {
	if e.ts.UnmarshalText(text) != nil {
		return false
	}
	e.stamped = true
	return text[len(text)-1] == 'Z' || Writable(e.ts) // four digits of a year in UTC are always writable
}

func isNull(data []byte, i int) bool {
	return len(data)-i >= 4 && string(data[i:i+4]) == "null"
}

// message checks what was found and copies it, but for what is as likely.
func (e *envelope) message(likelyFrom, likelyTo string) (*Message, error) {
	// An escape takes up to six bytes for one, so a longer text cannot be a
	// valid id, and need not be decoded to know it.
	if len(e.id.raw) > 6*MaxIDBytes {
		return nil, malformed("id is longer than 64 bytes: " + quoted(e.id.raw))
	}
	var room [256]byte
	all := e.id.appendTo(room[:0])
	id := len(all)
	switch {
	case id == 0:
		return nil, malformed("no id")
	case id > MaxIDBytes:
		return nil, malformed("id is longer than 64 bytes: " + quoted(all))
	case len(e.kind.raw) == 0:
		return nil, malformed("no type")
	case !e.stamped:
		return nil, malformed("no ts")
	}
	known, isKnown := knownType(e.kind.raw)
	if !isKnown {
		all = e.kind.appendTo(all)
	}
	kind := len(all)
	asFrom := e.from.is(likelyFrom)
	if !asFrom {
		all = e.from.appendTo(all)
	}
	from := len(all)
	asTo := e.to.is(likelyTo)
	if !asTo {
		all = e.to.appendTo(all)
	}
	to := len(all)
	all = e.replyTo.appendTo(all)

	joined := string(all)
	m := &Message{
		ID:        joined[:id],
		Type:      known,
		From:      joined[kind:from],
		To:        joined[from:to],
		Timestamp: e.ts,
		ReplyTo:   joined[to:],
	}
	if asFrom {
		m.From = likelyFrom
	}
	if asTo {
		m.To = likelyTo
	}
	if !isKnown {
		m.Type = MessageType(joined[id:kind])
	}
	if e.payload == nil {
		m.Payload = json.RawMessage("null")
	} else {
		m.Payload = bytes.Clone(e.payload)
	}
	return m, nil
}

// checkObject makes sure that a payload is a JSON object at most maxDepth deep,
// before encoding/json, which recurses, sees it.
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
		return malformedAt("something after the payload", end)
	}
	return nil
}
