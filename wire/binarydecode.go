package wire

import (
	"encoding/binary"
	"time"
	"unicode/utf8"
	"unsafe"
)

// Errors of a message in a record. They are fixed values so that malformed messages cause no allocation.
var (
	errNoForm       = malformed("message of 0 bytes in a record")
	errTooLarge     = malformed("message in a record is larger than the limit")
	errShort        = malformed("binary message ends inside a field")
	errFlags        = malformed("reserved flags in a binary message")
	errCode         = malformed("unknown code of a type in a binary message")
	errText         = malformed("text in a binary message is empty, too long or not UTF-8")
	errPayload      = malformed("payload of a binary message is not JSON that nests at most 9,983 levels")
	errTextEncoding = malformed("message in a record is not UTF-8")
)

// binaryMessage is a parsed message in binary form. Its slices lie in the record.
type binaryMessage struct {
	flags, code             byte
	id, kind, from, to      []byte
	replyTo                 []byte
	ts                      int64 // Unix nanoseconds
	payloadStart, payloadTo int   // offsets in the message, without white space around the payload
	at                      int   // offset of the message from the first one of its group
}

// parse reads and checks a message: the rules of Decode, and UTF-8.
func (b *binaryMessage) parse(data []byte) error {
	if len(data) < binaryHead {
		return errShort
	}
	b.flags, b.code = data[0], data[1]
	switch from, to := b.flags&fromMask, b.flags&toMask; {
	case from != fromSender && from != fromText, to != toReceiver && to != toEmpty && to != toText,
		b.flags&reservedBit != 0, b.flags&(hasReplyTo|replyToText) == replyToText:
		return errFlags
	case int(b.code) >= len(binaryTypes):
		return errCode
	}
	r := fieldReader{rest: data[binaryHead:]}
	b.id = r.identifier(b.flags&idText != 0)
	if b.code == 0 {
		b.kind = r.text(maxTextBytes)
	}
	if b.flags&fromMask == fromText {
		b.from = r.text(maxTextBytes)
	}
	if b.flags&toMask == toText {
		b.to = r.text(maxTextBytes)
	}
	if ts := r.bytes(binaryTime); ts != nil {
		b.ts = int64(binary.BigEndian.Uint64(ts))
	}
	if b.flags&hasReplyTo != 0 {
		b.replyTo = r.identifier(b.flags&replyToText != 0)
	}
	if r.err != nil {
		return r.err
	}
	return b.payload(data, len(data)-len(r.rest))
}

// payload checks the JSON from data[start] to the end.
func (b *binaryMessage) payload(data []byte, start int) error {
	b.payloadStart, b.payloadTo = start, len(data)
	if isPlainString(data[start:]) {
		return nil
	}
	b.payloadStart = skipSpace(data, start)
	end, err := skipValue(data, b.payloadStart, maxPayloadDepth)
	if err != nil || skipSpace(data, end) < len(data) || !utf8.Valid(data[start:]) {
		return errPayload
	}
	b.payloadTo = end
	return nil
}

// fieldReader reads the fields of a message in order. After an error it returns nil only.
type fieldReader struct {
	rest []byte
	err  error
}

// bytes reads n bytes.
func (r *fieldReader) bytes(n int) []byte {
	if r.err != nil {
		return nil
	}
	if len(r.rest) < n {
		r.err = errShort
		return nil
	}
	field := r.rest[:n]
	r.rest = r.rest[n:]
	return field
}

// text reads a text of 1 to limit bytes.
func (r *fieldReader) text(limit int) []byte {
	if r.err != nil {
		return nil
	}
	n, size := readLEB128(r.rest)
	if n < 1 || n > int64(limit) {
		r.err = errText
		return nil
	}
	r.rest = r.rest[size:]
	field := r.bytes(int(n))
	if r.err == nil && !utf8.Valid(field) {
		r.err = errText
	}
	return field
}

// identifier reads an id: the 16 bytes of a UUID, or a text.
func (r *fieldReader) identifier(isText bool) []byte {
	if isText {
		return r.text(MaxIDBytes)
	}
	return r.bytes(uuidBytes)
}

// textSize returns the number of bytes that fill writes into texts.
func (b *binaryMessage) textSize() int {
	size := len(b.id) + len(b.kind) + len(b.from) + len(b.to) + len(b.replyTo)
	if b.flags&idText == 0 {
		size += uuidText - uuidBytes
	}
	if b.flags&(hasReplyTo|replyToText) == hasReplyTo {
		size += uuidText - uuidBytes
	}
	return size
}

// fill sets all fields of m except the payload. It appends their text to texts, which must have room for it.
func (b *binaryMessage) fill(m *Message, texts *[]byte, sender, receiver string) {
	m.ID = writeID(texts, b.id, b.flags&idText != 0)
	m.Type = binaryTypes[b.code]
	if b.code == 0 {
		m.Type = MessageType(write(texts, b.kind))
	}
	m.From = sender
	if b.from != nil {
		m.From = write(texts, b.from)
	}
	switch b.flags & toMask {
	case toReceiver:
		m.To = receiver
	case toText:
		m.To = write(texts, b.to)
	}
	m.Timestamp = time.Unix(0, b.ts).UTC()
	if b.replyTo != nil {
		m.ReplyTo = writeID(texts, b.replyTo, b.flags&replyToText != 0)
	}
}

// write appends text, which is not empty, and returns it as a part of texts. That part is never written again.
func write(texts *[]byte, text []byte) string {
	start := len(*texts)
	*texts = append(*texts, text...)
	return unsafe.String(&(*texts)[start], len(text))
}

// writeID is write for an id, in its form as text. It writes the text of a UUID in place: a copy would wait for the
// stores of its short parts.
func writeID(texts *[]byte, id []byte, isText bool) string {
	if isText {
		return write(texts, id)
	}
	start := len(*texts)
	*texts = (*texts)[:start+uuidText]
	text := (*[uuidText]byte)((*texts)[start:])
	putUUID(text, (*[uuidBytes]byte)(id))
	return unsafe.String(&text[0], uuidText)
}
