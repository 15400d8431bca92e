package wire

import (
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/Snider/go-p2p/wire/internal/plainprefix"
)

// The binary form of a message in a record of a session (protocol section 9):
//
//	0    flags
//	1    code of the type; 0: text
//	2    id: 16 bytes of a UUID, or text
//	     [type: text]  [from: text]  [to: text]
//	     ts: 8 bytes, Unix nanoseconds, big-endian
//	     [replyTo: 16 bytes of a UUID, or text]
//	     payload: JSON, to the end
//
// A text is its length in LEB128 and UTF-8. A message that does not fit has the JSON form, the envelope of section 2.
// Its first byte is an opening brace, which no binary form begins with because bit 6 of its flags is 0.
const (
	fromMask    byte = 0b11
	fromSender  byte = 0
	fromText    byte = 0b11
	toMask      byte = 0b11 << 2
	toReceiver  byte = 0
	toEmpty     byte = 0b01 << 2
	toText      byte = 0b11 << 2
	idText      byte = 1 << 4
	hasReplyTo  byte = 1 << 5
	reservedBit byte = 1 << 6
	replyToText byte = 1 << 7
)

const (
	binaryHead   = 2    // bytes of flags and code
	binaryTime   = 8    // bytes of ts
	maxTextBytes = 1024 // bytes of type, from and to as text
)

// binaryTypes lists the types that have a code in the binary form, by code. Code 0 means that the type is text.
var binaryTypes = [...]MessageType{
	1: MsgPing, 2: MsgPong, 3: MsgDisconnect, 4: MsgError, 5: MsgGetStats, 6: MsgStats, 7: MsgStartMiner,
	8: MsgStopMiner, 9: MsgMinerAck, 10: MsgDeploy, 11: MsgDeployAck, 12: MsgGetLogs, 13: MsgLogs, 14: MsgChat,
}

// binaryCode returns the code of a type, 0 if it has none: the inverse of binaryTypes.
func binaryCode(t MessageType) byte {
	switch t {
	case MsgPing:
		return 1
	case MsgPong:
		return 2
	case MsgDisconnect:
		return 3
	case MsgError:
		return 4
	case MsgGetStats:
		return 5
	case MsgStats:
		return 6
	case MsgStartMiner:
		return 7
	case MsgStopMiner:
		return 8
	case MsgMinerAck:
		return 9
	case MsgDeploy:
		return 10
	case MsgDeployAck:
		return 11
	case MsgGetLogs:
		return 12
	case MsgLogs:
		return 13
	case MsgChat:
		return 14
	}
	return 0
}

// AppendMessage appends m as one message of a record: its length and its binary form, or its JSON form if the binary
// form cannot express m (protocol section 9). That is: an empty from, an id or a replyTo of more than 64 bytes, a
// type, from or to of more than 1024 bytes, a ts outside 1678 to 2262 or with an offset from UTC.
//
// sender is the node ID of this node, receiver that of the peer. receiver is empty if the result is for several peers.
// All receivers decode the same fields as from [AppendSealedBody], white space in the payload included.
//
// m must have passed [Message.Validate]; AppendMessage does not repeat the checks. The only error is a Timestamp that
// RFC 3339 cannot express; it then returns dst unchanged. It allocates nothing if dst has room for the result plus 5
// bytes, and the strings and the payload are UTF-8. Safe for concurrent use while m is not modified.
func AppendMessage(dst []byte, m *Message, sender, receiver string) ([]byte, error) {
	payload := m.payload()
	if !validUTF8(payload) {
		payload = appendUTF8(nil, payload)
	}
	var f binaryForm
	if !f.fit(m, sender, receiver) {
		return appendJSONForm(dst, m, payload)
	}
	payload = trimSpace(payload)
	dst = appendLEB128(dst, f.size+len(payload))
	return append(f.appendHead(dst, m), payload...), nil
}

// appendJSONForm appends the length and the envelope of m.
func appendJSONForm(dst []byte, m *Message, payload []byte) ([]byte, error) {
	same := *m
	same.Payload = payload
	start := len(dst) + maxLEB128 // the size of the length is not known yet
	var room [maxLEB128]byte
	out, err := same.AppendJSON(append(dst, room[:]...))
	if err != nil {
		return dst, err
	}
	text := out[start:]
	return append(appendLEB128(out[:len(dst)], len(text)), text...), nil
}

// binaryForm holds the decisions about the binary form of one message.
type binaryForm struct {
	flags, code byte
	size        int // bytes without the payload
	id, replyTo [uuidBytes]byte
}

// fit decides how to write the fields of m. It reports false if m has no binary form.
func (f *binaryForm) fit(m *Message, sender, receiver string) bool {
	f.size = binaryHead + binaryTime
	f.code = binaryCode(m.Type)
	if f.code == 0 && !f.text(string(m.Type), 0, maxTextBytes) {
		return false
	}
	if (m.From == "" || m.From != sender) && !f.text(m.From, fromText, maxTextBytes) {
		return false
	}
	if m.To == "" {
		f.flags |= toEmpty
	} else if m.To != receiver && !f.text(m.To, toText, maxTextBytes) {
		return false
	}
	if m.ReplyTo != "" {
		f.flags |= hasReplyTo
		if !f.identifier(&f.replyTo, m.ReplyTo, replyToText) {
			return false
		}
	}
	return f.identifier(&f.id, m.ID, idText) && hasBinaryTime(m.Timestamp)
}

// text adds the size of a text. It reports false if the form does not allow the text.
func (f *binaryForm) text(text string, flag byte, limit int) bool {
	f.flags |= flag
	f.size += sizeLEB128(len(text)) + len(text)
	return text != "" && len(text) <= limit && validText(text)
}

// identifier is text for an id, which can be a UUID.
func (f *binaryForm) identifier(id *[uuidBytes]byte, text string, flag byte) (ok bool) {
	if *id, ok = ParseUUID(text); ok {
		f.size += len(id)
		return true
	}
	return f.text(text, flag, MaxIDBytes)
}

// hasBinaryTime reports whether the binary form can express t, its offset from UTC included.
func hasBinaryTime(t time.Time) bool {
	if t.Location() != time.UTC {
		if _, offset := t.Zone(); offset != 0 {
			return false
		}
	}
	return time.Unix(0, t.UnixNano()).Equal(t) // outside 1678 to 2262 the number of nanoseconds overflows
}

// appendHead appends the form up to the payload.
func (f *binaryForm) appendHead(dst []byte, m *Message) []byte {
	dst = append(dst, f.flags, f.code)
	dst = appendIdentifier(dst, &f.id, m.ID, f.flags&idText != 0)
	if f.code == 0 {
		dst = appendBinaryText(dst, string(m.Type))
	}
	if f.flags&fromMask == fromText {
		dst = appendBinaryText(dst, m.From)
	}
	if f.flags&toMask == toText {
		dst = appendBinaryText(dst, m.To)
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(m.Timestamp.UnixNano()))
	if f.flags&hasReplyTo != 0 {
		dst = appendIdentifier(dst, &f.replyTo, m.ReplyTo, f.flags&replyToText != 0)
	}
	return dst
}

func appendIdentifier(dst []byte, id *[uuidBytes]byte, text string, isText bool) []byte {
	if isText {
		return appendBinaryText(dst, text)
	}
	return append(dst, id[:]...)
}

func appendBinaryText(dst []byte, text string) []byte {
	return append(appendLEB128(dst, len(text)), text...)
}

// validUTF8 is utf8.Valid for JSON. It recognises a plain string, the most frequent payload, faster.
func validUTF8(text []byte) bool { return isPlainString(text) || utf8.Valid(text) }

// validText is utf8.ValidString, faster for a short text of ASCII.
func validText(text string) bool {
	var bits uint64
	bytes := unsafe.Slice(unsafe.StringData(text), len(text)) // read only
	for ; len(bytes) >= 8; bytes = bytes[8:] {
		bits |= binary.LittleEndian.Uint64(bytes)
	}
	for _, b := range bytes {
		bits |= uint64(b)
	}
	return bits&(0x80*ones) == 0 || utf8.ValidString(text)
}

// isPlainString reports whether text is a JSON string of ASCII without escapes.
func isPlainString(text []byte) bool {
	last := len(text) - 1
	return last > 0 && text[0] == '"' && text[last] == '"' && plainprefix.Len(text[1:]) == last-1
}

// trimSpace returns a JSON text without the white space around it.
func trimSpace(text []byte) []byte {
	text = text[skipSpace(text, 0):]
	for len(text) > 0 && strings.IndexByte(" \t\n\r", text[len(text)-1]) >= 0 {
		text = text[:len(text)-1]
	}
	return text
}
