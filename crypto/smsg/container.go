// Package smsg seals and opens SMSG containers (protocol section 4), the frames of all messages after the handshake. It
// handles bytes: the caller encodes and decodes the plaintext, and checks unusual headers.
//
//	offset  size  content
//	0       4     "SMSG"
//	4       1     0x02
//	5       4     H, header length, big-endian
//	9       H     header, a JSON object
//	9+H     24    nonce
//	33+H    n     ciphertext
//	33+H+n  16    Poly1305 tag
package smsg

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	magic     = "SMSG"
	version   = 2
	prefixLen = len(magic) + 1 + 4
	nonceLen  = chacha20poly1305.NonceSizeX
	tagLen    = chacha20poly1305.Overhead

	header    = `{"algorithm":"chacha20poly1305","version":"1.0"}` // sent by every deployed node
	maxHeader = 4 << 10                                            // bytes; far more than any header in use
)

const (
	// Headroom is the number of bytes before the ciphertext in a sealed frame.
	Headroom = prefixLen + len(header) + nonceLen
	// Overhead is the size of a sealed frame minus that of its plaintext, in bytes.
	Overhead = Headroom + tagLen
)

// frameHead is the start of every frame that this node seals.
var frameHead = string(binary.BigEndian.AppendUint32(append([]byte(magic), version), uint32(len(header)))) + header

// Errors of Opener.Open. Each wraps ErrMalformedFrame. They are fixed values, so that a flood of malformed frames
// allocates nothing.
var (
	ErrMalformedFrame = errors.New("malformed frame")
	ErrNotContainer   = fmt.Errorf("%w: not an SMSG container", ErrMalformedFrame)
	ErrVersion        = fmt.Errorf("%w: container version is not 2", ErrMalformedFrame)
	ErrHeaderLength   = fmt.Errorf("%w: header is longer than the frame or than 4 KiB", ErrMalformedFrame)
	ErrHeader         = fmt.Errorf("%w: header is not of this protocol", ErrMalformedFrame)
	ErrTruncated      = fmt.Errorf("%w: shorter than nonce and tag", ErrMalformedFrame)
	ErrAuthentication = fmt.Errorf("%w: authentication failed", ErrMalformedFrame)
)

// split checks the parts of a frame that do not require the key. head, nonce and sealed (ciphertext and tag) lie inside
// frame.
func split(frame []byte) (head []byte, nonce *[nonceLen]byte, sealed []byte, err error) {
	if len(frame) < len(magic) || string(frame[:len(magic)]) != magic {
		return nil, nil, nil, ErrNotContainer
	}
	if len(frame) < prefixLen {
		return nil, nil, nil, ErrTruncated
	}
	if frame[len(magic)] != version {
		return nil, nil, nil, ErrVersion
	}
	claimed, rest := binary.BigEndian.Uint32(frame[len(magic)+1:]), frame[prefixLen:]
	if claimed > maxHeader || int(claimed) > len(rest) {
		return nil, nil, nil, ErrHeaderLength
	}
	head, rest = rest[:claimed], rest[claimed:]
	if len(rest) < nonceLen+tagLen {
		return nil, nil, nil, ErrTruncated
	}
	return head, (*[nonceLen]byte)(rest), rest[nonceLen:], nil
}
