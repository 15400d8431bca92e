package socket

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"math"
	"slices"
)

// This node writes its WebSocket frames itself (RFC 6455, section 5.2): each is a whole message or a close. The library
// reads, and writes pings, pongs and the answer to a close.

// First bytes of frames: the opcode, with the bit that marks the last frame of a message.
const (
	frameText   = 0x81
	frameBinary = 0x82
	frameClose  = 0x88
)

// appendFrame appends a frame to buf; a client masks its frames.
func appendFrame(buf []byte, kind byte, payload []byte, masked bool) []byte {
	var mask byte
	if masked {
		mask = 0x80
	}
	switch n := len(payload); {
	case n <= 125:
		buf = append(buf, kind, mask|byte(n))
	case n <= math.MaxUint16:
		buf = binary.BigEndian.AppendUint16(append(buf, kind, mask|126), uint16(n))
	default:
		buf = binary.BigEndian.AppendUint64(append(buf, kind, mask|127), uint64(n))
	}
	if !masked {
		return append(buf, payload...)
	}
	var key [4]byte
	_, _ = rand.Read(key[:]) // never fails
	return appendMasked(append(buf, key[:]...), payload, key)
}

// appendMasked appends the payload of a masked frame.
func appendMasked(buf, payload []byte, key [4]byte) []byte {
	var mask [1 << 10]byte // the key, repeated
	filled := copy(mask[:], key[:])
	for filled < min(len(payload), len(mask)) {
		filled += copy(mask[filled:], mask[:filled])
	}
	begin := len(buf)
	buf = slices.Grow(buf, len(payload))[:begin+len(payload)]
	for masked := buf[begin:]; len(masked) > 0; {
		n := subtle.XORBytes(masked, payload, mask[:filled])
		masked, payload = masked[n:], payload[n:]
	}
	return buf
}

// wholeControl reports whether written, the beginning of a control frame of the library, is the whole frame.
func wholeControl(written []byte) bool {
	if len(written) < 2 {
		return false
	}
	size := 2 + int(written[1]&0x7f)
	if written[1]&0x80 != 0 {
		size += 4
	}
	return len(written) >= size
}
