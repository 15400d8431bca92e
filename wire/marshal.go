package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
)

const (
	firstBuffer   = 1024     // bytes that a new buffer has room for
	largestBuffer = 64 << 10 // bytes above which a buffer is not kept
)

// encoder is a JSON encoder together with the buffer that it writes to.
type encoder struct {
	buf  bytes.Buffer
	json *json.Encoder
}

// encoders is global because a buffer is worth pooling only when all callers in
// the process share it; nothing in an encoder outlives a call of MarshalJSON,
// so two nodes in one process share memory and no state.
var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.buf.Grow(firstBuffer)
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false)
	return e
}}

// MarshalJSON returns v as JSON the way the wire wants it (protocol section 2):
// as encoding/json writes it, but with HTML characters as they are, and without
// a newline at the end. The result is the caller's to keep. Safe for concurrent
// use. The errors are those of encoding/json: v cannot be written as JSON.
//
// A string and JSON that is already compact, which most payloads are, are
// written without encoding/json, at once where they stay.
func MarshalJSON(v any) ([]byte, error) { return appendJSON(nil, v, nil) }

// appendPayload is appendJSON for the payload of a message: one that receivers
// refuse as nested too deep is an [ErrInvalid].
func appendPayload(dst []byte, v any) ([]byte, error) { return appendJSON(dst, v, checkDepth) }

// checkDepth refuses JSON that nests deeper than a payload may. A text shorter
// than its brackets cannot.
func checkDepth(text []byte) error {
	if len(text) <= 2*maxPayloadDepth {
		return nil
	}
	return validPayload(text)
}

// appendJSON appends what MarshalJSON returns, unless check refuses it; on an error it returns dst as it was.
func appendJSON(dst []byte, v any, check func([]byte) error) ([]byte, error) {
	switch v := v.(type) {
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

// appendByEncoding is appendJSON by way of encoding/json.
//
// It works in pooled buffers of 1 KiB at first; one that has grown past 64 KiB
// is left to the garbage collector, so a single large message does not hold
// memory for ever.
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

// isCompact tells whether text is one JSON value and has no spaces but in strings.
func isCompact(text []byte) bool {
	if end, err := skipValue(text, 0, maxPayloadDepth); err != nil || end < len(text) {
		return false
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\t', '\n', '\r':
			return false
		case '"':
			end, _, _ := skipString(text, i) // skipValue has passed it
			i = end - 1
		}
	}
	return true
}
