package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
)

const (
	firstBuffer   = 1024     // capacity of a new buffer, in bytes
	largestBuffer = 64 << 10 // maximum capacity of a pooled buffer, in bytes
)

// encoder is a JSON encoder with its output buffer.
type encoder struct {
	buf  bytes.Buffer
	json *json.Encoder
}

// encoders is global so that all callers of the process share the buffers. An encoder holds no state between calls of
// MarshalJSON, so nodes in one process share memory but no data.
var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.buf.Grow(firstBuffer)
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false)
	return e
}}

// MarshalJSON returns v as JSON (protocol section 2): the output of encoding/json without HTML escapes and without a
// final newline. The caller owns the result. Errors are those of encoding/json. Safe for concurrent use.
//
// Strings and compact JSON, the most frequent payloads, are written directly, without encoding/json.
func MarshalJSON(v any) ([]byte, error) { return appendJSON(nil, v, nil) }

// appendPayload is appendJSON for the payload of a message: nesting that receivers refuse is an [ErrInvalid].
func appendPayload(dst []byte, v any) ([]byte, error) { return appendJSON(dst, v, checkDepth) }

// checkDepth refuses JSON that nests deeper than maxPayloadDepth. Shorter texts than the brackets of that depth pass
// without a scan.
func checkDepth(text []byte) error {
	if len(text) <= 2*maxPayloadDepth {
		return nil
	}
	return validPayload(text)
}

// appendJSON appends the result of MarshalJSON, unless check refuses it. On an error it returns dst unchanged.
func appendJSON(dst []byte, v any, check func([]byte) error) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, null...), nil
	case string:
		if dst == nil {
			dst = make([]byte, 0, len(v)+len(`""`))
		}
		return appendQuoted(dst, v), nil
	case json.RawMessage:
		if isCompact(v) {
			return append(dst, v...), nil
		}
	}
	return appendByEncoding(dst, v, check)
}

// appendByEncoding implements appendJSON with encoding/json.
//
// Its buffers are pooled. They start at 1 KiB; those that grow beyond 64 KiB are discarded, so a single large message
// does not occupy memory permanently.
func appendByEncoding(dst []byte, v any, check func([]byte) error) ([]byte, error) {
	e := encoders.Get().(*encoder)
	e.buf.Reset()
	err := e.json.Encode(v)
	if err != nil {
		encoders.Put(e)
		return dst, fmt.Errorf("wire: %w", err)
	}
	text := bytes.TrimSuffix(e.buf.Bytes(), []byte{'\n'})
	if check != nil {
		err = check(text)
	}
	if err == nil {
		dst = append(dst, text...)
	}
	if e.buf.Cap() <= largestBuffer {
		encoders.Put(e)
	}
	return dst, err
}

// isCompact reports whether text is one JSON value without white space outside strings.
func isCompact(text []byte) bool {
	if end, err := skipValue(text, 0, maxPayloadDepth); err != nil || end < len(text) {
		return false
	}
	return !hasSpace(text) || !hasSpaceOutside(text)
}

// hasSpace reports whether valid JSON contains white space.
func hasSpace(text []byte) bool {
	return bytes.IndexByte(text, ' ') >= 0 || bytes.IndexByte(text, '\n') >= 0 ||
		bytes.IndexByte(text, '\t') >= 0 || bytes.IndexByte(text, '\r') >= 0
}

// hasSpaceOutside reports whether valid JSON contains white space outside strings.
func hasSpaceOutside(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\t', '\n', '\r':
			return true
		case '"':
			end, _, _ := skipString(text, i)
			i = end - 1
		}
	}
	return false
}
