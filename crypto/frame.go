package crypto

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/chacha20poly1305"
)

// An SMSG container (protocol section 4):
//
//	0       4   "SMSG"
//	4       1   0x02
//	5       4   H, big-endian
//	9       H   header, a JSON object
//	9+H     24  nonce
//	33+H    n   ciphertext
//	33+H+n  16  tag
const (
	magic            = "SMSG"
	containerVersion = 2
	prefixLen        = len(magic) + 1 + 4
	nonceLen         = chacha20poly1305.NonceSizeX
	tagLen           = chacha20poly1305.Overhead

	header    = `{"algorithm":"chacha20poly1305","version":"1.0"}` // what every deployed node sends
	maxHeader = 4 << 10                                            // bytes; far more than any header in use

	// The plaintext that we send; any order and further keys are accepted.
	plaintextHead = `{"body":"`
	plaintextMid  = `","timestamp":`
	plaintextTail = `}`

	// overhead is all of a frame that we send, but for body and digits of the time.
	overhead = prefixLen + len(header) + nonceLen + len(plaintextHead) + len(plaintextMid) + len(plaintextTail) + tagLen
)

// Errors of Opener.Open. Each is an ErrMalformedFrame, too. They are fixed
// values, so that a flood of bad frames allocates nothing.
var (
	ErrMalformedFrame   = errors.New("malformed frame")
	ErrNotContainer     = fmt.Errorf("%w: no SMSG container", ErrMalformedFrame)
	ErrContainerVersion = fmt.Errorf("%w: container version is not 2", ErrMalformedFrame)
	ErrHeaderLength     = fmt.Errorf("%w: header is longer than the frame or than 4 KiB", ErrMalformedFrame)
	ErrHeader           = fmt.Errorf("%w: header is not a JSON object of this protocol", ErrMalformedFrame)
	ErrCompressed       = fmt.Errorf("%w: header asks for compression or another format", ErrMalformedFrame)
	ErrTruncated        = fmt.Errorf("%w: shorter than nonce and tag", ErrMalformedFrame)
	ErrAuthentication   = fmt.Errorf("%w: authentication fails", ErrMalformedFrame)
	ErrPlaintext        = fmt.Errorf("%w: plaintext is no object with a body and a timestamp", ErrMalformedFrame)
)

// splitFrame checks all of a frame that can be checked without the key, and
// returns the nonce and the ciphertext with its tag, both inside frame.
func splitFrame(frame []byte) (nonce *[nonceLen]byte, sealed []byte, err error) {
	if len(frame) < len(magic) || string(frame[:len(magic)]) != magic {
		return nil, nil, ErrNotContainer
	}
	if len(frame) < prefixLen {
		return nil, nil, ErrTruncated
	}
	if frame[len(magic)] != containerVersion {
		return nil, nil, ErrContainerVersion
	}
	claimed, rest := binary.BigEndian.Uint32(frame[len(magic)+1:]), frame[prefixLen:]
	if claimed > maxHeader || int(claimed) > len(rest) {
		return nil, nil, ErrHeaderLength
	}
	head, rest := rest[:claimed], rest[claimed:]
	if len(rest) < nonceLen+tagLen {
		return nil, nil, ErrTruncated
	}
	if string(head) != header {
		if err := checkHeader(head); err != nil {
			return nil, nil, err
		}
	}
	return (*[nonceLen]byte)(rest), rest[nonceLen:], nil
}

// checkHeader judges a header that is not the usual one. Nothing vouches for a
// header, so it can make us refuse but never do anything: compression and
// formats are refused by their mere presence, and so are checksums, which the
// reference library would compute. The rest is ignored as deployed nodes do;
// that algorithm and version are ours is proved by the tag. It writes on head.
func checkHeader(head []byte) error {
	if !utf8.Valid(head) {
		return ErrHeader
	}
	verdict := error(nil)
	s := scanner{text: head}
	whole := s.object(func(key []byte) bool {
		switch string(key) {
		case "compression", "format":
			verdict = ErrCompressed
		case "checksum", "checksum_algo":
			verdict = ErrHeader
		}
		return verdict == nil && s.skip()
	}) && s.end()
	if verdict == nil && !whole {
		return ErrHeader
	}
	return verdict
}
