package wire

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// ErrRecord means that the messages of a record are not separable: no message at all, several in more than 64 KiB, or a
// length that is not minimal, takes more than 5 bytes or reaches past the end. The connection must be closed. It is not
// an [ErrMalformed], which concerns one message only.
var ErrRecord = errors.New("malformed record")

// Limits of several messages.
const (
	maxGroup      = 16       // messages that share memory
	maxGroupBytes = 32 << 10 // bytes of their forms together, unless there is one message only
	maxTogether   = 64 << 10 // bytes of several messages in one record
)

// RecordDecoder decodes the messages in the records that one peer sends on one connection (protocol section 9):
//
//	d.Reset(plaintext, hint)
//	for d.More() {
//		msg, err := d.Next() // or d.Skip()
//		…
//	}
//
// It decodes binary messages in groups, at most 16 messages and 32 KiB at once, whatever the size of the record. The
// messages of a group share three allocations: an array of messages, a block of payloads, and a string. A message that
// is retained therefore keeps the memory of its group, less than 80 KiB, usually 16 times its own size: copy a message
// that is kept for long. A larger message, and one in JSON form, is alone in its memory. A payload ends at its
// capacity, so that an append does not reach the next one.
//
// From, To and the types with a code do not allocate: they are the strings of NewRecordDecoder and constants.
//
// Not safe for concurrent use. A decoder without a record retains nothing of earlier records.
type RecordDecoder struct {
	sender, receiver string
	limit            int // bytes of a message

	rest  []byte // part of the record that is not decoded
	empty bool   // the record holds no byte
	hint  IDKeys
	size  int    // of the last message
	key   uint64 // of its ID

	group []Message       // decoded messages; nil if Next has returned all of them
	next  int             // index in group of the message that Next returns next
	sizes [maxGroup]int32 // bytes of the messages in group
	keys  [maxGroup]uint64
}

// NewRecordDecoder returns a decoder for records from the node with the ID sender to the node with the ID receiver.
// Messages of more than limit bytes are malformed.
func NewRecordDecoder(sender, receiver string, limit int) *RecordDecoder {
	return &RecordDecoder{sender: sender, receiver: receiver, limit: limit}
}

// Reset begins the record with the given plaintext, which the decoder reads, but does not change, until More reports
// false. hint, if not nil, gets the ID of each message when it is decoded, up to 15 messages before Next returns it. It
// gets the IDs of messages in JSON form with Expect.
func (d *RecordDecoder) Reset(plaintext []byte, hint IDKeys) {
	*d = RecordDecoder{
		sender: d.sender, receiver: d.receiver, limit: d.limit,
		rest: plaintext, empty: len(plaintext) == 0, hint: hint,
	}
}

// More reports whether the record has another message, valid or not, or a fault that Next must report.
func (d *RecordDecoder) More() bool { return d.group != nil || len(d.rest) > 0 || d.empty }

// Size returns the size in bytes of the message that Next returned or refused last, or that Skip skipped: its form and
// its length. The sizes of all messages add up to the size of the record.
func (d *RecordDecoder) Size() int { return d.size }

// Key returns the hint's key of the ID of the message that Next returned last, or 0 for a message in JSON form and
// without a hint.
func (d *RecordDecoder) Key() uint64 { return d.key }

// Next returns the next message. Errors:
//
//   - io.EOF at the end of the record.
//   - [ErrMalformed] for a message that violates the rules of [Decode] or of the binary form, is not UTF-8, or exceeds
//     the limit. Next can be called again.
//   - [ErrRecord] if the record is broken. It has no further messages.
func (d *RecordDecoder) Next() (*Message, error) {
	if d.group != nil {
		return d.pop(), nil
	}
	form, err := d.take()
	switch {
	case err != nil:
		return nil, err
	case len(form) == 0:
		return nil, errNoForm
	case len(form) > d.limit:
		return nil, errTooLarge
	case form[0] != '{':
		return d.decodeGroup(form)
	case !utf8.Valid(form):
		return nil, errTextEncoding
	}
	return decode(form, d.hint)
}

// Skip skips the next message. It does not check the message. Errors are those of Next except ErrMalformed.
func (d *RecordDecoder) Skip() error {
	if d.group != nil {
		d.pop()
		return nil
	}
	_, err := d.take()
	return err
}

// Decoded returns the next messages that are decoded already, and for each the results of Size and Key. It may return
// none. The slices of sizes and keys are valid until the next call of Next or Reset.
func (d *RecordDecoder) Decoded() (messages []Message, sizes []int32, keys []uint64) {
	return d.group[d.next:], d.sizes[d.next:len(d.group)], d.keys[d.next:len(d.group)]
}

// TakeDecoded removes the first n messages of Decoded, as n calls of Next do.
func (d *RecordDecoder) TakeDecoded(n int) {
	if d.next += n; d.next == len(d.group) {
		d.group, d.next = nil, 0
	}
}

// pop removes the next message from the group.
func (d *RecordDecoder) pop() *Message {
	m := &d.group[d.next]
	d.size, d.key = int(d.sizes[d.next]), d.keys[d.next]
	d.TakeDecoded(1)
	return m
}

// take removes the next message from the rest of the record and returns its form.
func (d *RecordDecoder) take() (form []byte, err error) {
	d.size, d.key = 0, 0
	if len(d.rest) == 0 && !d.empty {
		return nil, io.EOF
	}
	form, d.size = splitRecord(d.rest)
	if d.size == 0 || d.size < len(d.rest) && len(d.rest) > maxTogether {
		d.size = 0
		d.rest, d.empty = nil, false
		return nil, ErrRecord
	}
	if d.rest = d.rest[d.size:]; len(d.rest) == 0 {
		d.rest = nil
	}
	return form, nil
}

// splitRecord returns the form of the first message in a record and its size with the length before it, in bytes. The
// size is 0 if the record is broken.
func splitRecord(rest []byte) (form []byte, size int) {
	n, head := readLEB128(rest)
	if head == 0 || n > int64(len(rest)-head) {
		return nil, 0
	}
	size = head + int(n)
	return rest[head:size], size
}

// decodeGroup decodes a binary message and those that follow it, up to the first one that is not a valid binary
// message, and returns the first one.
func (d *RecordDecoder) decodeGroup(form []byte) (*Message, error) {
	var first [1]binaryMessage
	if err := first[0].parse(form); err != nil {
		return nil, err
	}
	d.sizes[0] = int32(d.size)
	if len(d.rest) == 0 {
		d.build(form, first[:]) // the usual case on a quiet connection, without the memory of gather
	} else {
		d.gather(form, &first[0])
	}
	return d.pop(), nil
}

// gather makes a group of the first message and those that follow it.
func (d *RecordDecoder) gather(form []byte, first *binaryMessage) {
	parsed := [maxGroup]binaryMessage{*first}
	n := 1
	for end := len(form); n < maxGroup; n++ {
		next, size := splitRecord(d.rest)
		if len(next) == 0 || len(next) > d.limit || next[0] == '{' || end+size > maxGroupBytes ||
			parsed[n].parse(next) != nil {
			break
		}
		parsed[n].at = end + size - len(next)
		d.sizes[n] = int32(size)
		end += size
		d.rest = d.rest[size:]
	}
	if len(d.rest) == 0 {
		d.rest = nil
	}
	d.build(form[:cap(form)], parsed[:n])
}

// build makes the group of the parsed messages. The first one is at the start of record.
func (d *RecordDecoder) build(record []byte, parsed []binaryMessage) {
	last := &parsed[len(parsed)-1]
	start := parsed[0].payloadStart
	payloads := bytes.Clone(record[start : last.at+last.payloadTo])
	size := 0
	for i := range parsed {
		size += parsed[i].textSize()
	}
	texts := make([]byte, 0, size)
	d.group = make([]Message, len(parsed))
	for i := range parsed {
		b, m := &parsed[i], &d.group[i]
		b.fill(m, &texts, d.sender, d.receiver)
		from, to := b.at+b.payloadStart-start, b.at+b.payloadTo-start
		m.Payload = payloads[from:to:to]
	}
	if d.hint != nil { // only now: to hash an ID at once would wait for the stores of its parts
		d.hint.ExpectKeys(d.group, d.keys[:len(d.group)])
	}
}
