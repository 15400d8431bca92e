package refpeer

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The two forms of a message inside a record of session/1.
const (
	FormBinary = "binary"
	FormJSON   = "json"
)

var (
	// ErrRecord means that a record cannot be divided into messages: the connection ends.
	ErrRecord = errors.New("malformed record")
	// ErrMessage means that one message of a record is malformed: it is counted and skipped.
	ErrMessage = errors.New("malformed message")
	// ErrForm means that a message does not fit the binary form.
	ErrForm = errors.New("the message does not fit the binary form")
)

// typeCodes are the types with a code in the binary form; the code is the index. Code 0 is a type as text.
var typeCodes = []string{
	"", TypePing, TypePong, TypeDisconnect, "error", "get_stats", "stats", "start_miner", "stop_miner", "miner_ack",
	"deploy", "deploy_ack", "get_logs", "logs", "chat",
}

// The flags of the binary form: two fields of two bits, then single bits.
const (
	flagFromText  = 3
	flagToEmpty   = 1 << 2
	flagToText    = 3 << 2
	flagIDText    = 1 << 4
	flagReply     = 1 << 5
	flagReserved  = 1 << 6
	flagReplyText = 1 << 7
)

const (
	maxIDText  = 64
	maxAnyText = 1024
	maxLength  = 5 // bytes of a LEB128 length
)

// EncodeBinary returns the binary form of a message that sender writes to receiver, without its length. It returns
// ErrForm if only the JSON form can carry all fields as they are.
func EncodeBinary(e Envelope, sender, receiver string) ([]byte, error) {
	at, err := time.Parse(time.RFC3339Nano, e.TS)
	if _, offset := at.Zone(); err != nil || offset != 0 || at.Before(time.Unix(0, math.MinInt64)) ||
		at.After(time.Unix(0, math.MaxInt64)) {
		return nil, fmt.Errorf("%w: time %q", ErrForm, e.TS)
	}
	var fields []byte
	flags, fits := byte(0), true
	text := func(s string, most int) {
		fits = fits && s != "" && len(s) <= most && utf8.ValidString(s)
		fields = append(binary.AppendUvarint(fields, uint64(len(s))), s...)
	}
	id := func(s string, textual byte) {
		if raw, ok := parseUUID(s); ok {
			fields = append(fields, raw...)
			return
		}
		flags |= textual
		text(s, maxIDText)
	}
	id(e.ID, flagIDText)
	code := max(slices.Index(typeCodes, e.Type), 0)
	if code == 0 {
		text(e.Type, maxAnyText)
	}
	if e.From != sender {
		flags |= flagFromText
		text(e.From, maxAnyText)
	}
	switch e.To {
	case receiver:
	case "":
		flags |= flagToEmpty
	default:
		flags |= flagToText
		text(e.To, maxAnyText)
	}
	fields = binary.BigEndian.AppendUint64(fields, uint64(at.UnixNano()))
	if e.ReplyTo != "" {
		flags |= flagReply
		id(e.ReplyTo, flagReplyText)
	}
	if !fits {
		return nil, ErrForm
	}
	return slices.Concat([]byte{flags, byte(code)}, fields, e.Payload), nil
}

// DecodeMessage reads a message in either form, without its length, and returns its form. sender is the node ID of the
// peer that sent the record.
func DecodeMessage(message []byte, sender, receiver string) (e Envelope, form string, err error) {
	if len(message) > maxMessageSize {
		return Envelope{}, FormBinary, ErrMessage
	}
	if len(message) > 0 && message[0] == '{' {
		if err := json.Unmarshal(message, &e); err != nil || !utf8.Valid(message) {
			return Envelope{}, FormJSON, errors.Join(ErrMessage, err)
		}
		return e, FormJSON, nil
	}
	r := formReader{rest: message, ok: true}
	flags, code := r.byte(), int(r.byte())
	e.ID = r.id(flags&flagIDText != 0)
	switch {
	case code == 0:
		e.Type = r.text(maxAnyText)
	case code < len(typeCodes):
		e.Type = typeCodes[code]
	default:
		r.ok = false
	}
	e.From, e.To = sender, receiver
	switch flags & flagFromText {
	case 0:
	case flagFromText:
		e.From = r.text(maxAnyText)
	default:
		r.ok = false
	}
	switch flags & flagToText {
	case 0:
	case flagToEmpty:
		e.To = ""
	case flagToText:
		e.To = r.text(maxAnyText)
	default:
		r.ok = false
	}
	e.TS = Stamp(time.Unix(0, int64(binary.BigEndian.Uint64(r.take(8)))).UTC())
	if flags&flagReply != 0 {
		e.ReplyTo = r.id(flags&flagReplyText != 0)
	}
	e.Payload = bytes.Clone(bytes.Trim(r.rest, " \t\r\n")) // white space around it is no part of it, as in the JSON form
	if !r.ok || flags&flagReserved != 0 || flags&(flagReply|flagReplyText) == flagReplyText || !json.Valid(r.rest) ||
		!utf8.Valid(r.rest) {
		return Envelope{}, FormBinary, ErrMessage
	}
	return e, FormBinary, nil
}

// formReader takes fields from the front of a message. After the first fault ok is false and all values are empty.
type formReader struct {
	rest []byte
	ok   bool
}

func (r *formReader) take(n int) []byte {
	if !r.ok || n > len(r.rest) {
		r.ok = false
		return make([]byte, min(n, 16))
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *formReader) byte() byte { return r.take(1)[0] }

func (r *formReader) text(most int) string {
	n, rest, err := cutLength(r.rest)
	if err != nil || n == 0 || n > uint64(most) {
		r.ok = false
		return ""
	}
	r.rest = rest
	s := string(r.take(int(n)))
	r.ok = r.ok && utf8.ValidString(s)
	return s
}

func (r *formReader) id(textual bool) string {
	if textual {
		return r.text(maxIDText)
	}
	s := hex.EncodeToString(r.take(16))
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}

// parseUUID returns the bytes of a UUID in its usual text: lower case, with four hyphens.
func parseUUID(s string) ([]byte, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' || s != strings.ToLower(s) {
		return nil, false
	}
	raw, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	return raw, err == nil
}

// Frame puts the length before a message, as in a record.
func Frame(message []byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(message))), message...)
}

// SplitMessages divides the plaintext of a record into its messages. It returns ErrRecord for no message, and for a
// length that is not minimal, has more than 5 bytes, or reaches past the end, with the messages before it.
func SplitMessages(plaintext []byte) (messages [][]byte, err error) {
	if len(plaintext) == 0 {
		return nil, ErrRecord
	}
	for len(plaintext) > 0 {
		n, rest, err := cutLength(plaintext)
		if err != nil || n > uint64(len(rest)) {
			return messages, ErrRecord
		}
		messages, plaintext = append(messages, rest[:n]), rest[n:]
	}
	return messages, nil
}

// cutLength reads a minimal LEB128 length of at most 5 bytes.
func cutLength(data []byte) (length uint64, rest []byte, err error) {
	n, used := binary.Uvarint(data)
	if used <= 0 || used > maxLength || used > 1 && data[used-1] == 0 {
		return 0, nil, ErrRecord
	}
	return n, data[used:], nil
}
