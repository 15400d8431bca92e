package crypto

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

const (
	// KeySize is the length of private keys, public keys and shared secrets, in bytes.
	KeySize = 32

	publicKeyTextLen = 44 // KeySize bytes in base64 with padding
	nodeIDBytes      = 16 // bytes of the SHA-256 that make a node ID
)

// ErrPublicKey is wrapped by every error for an invalid public key; the text contains the reason.
var ErrPublicKey = errors.New("public key refused")

// PublicKey is the X25519 public key of a node (protocol section 1). Two keys identify the same node if and only if
// they are equal with ==.
type PublicKey [KeySize]byte

// lowOrder lists the field values whose X25519 result is zero with every private key, little-endian as on the wire:
// 0, 1, the two points of order 8, and p-1. Their other encodings (p, p+1, top bit set) are refused as not canonical.
var lowOrder = [...]PublicKey{
	{},
	{1},
	{
		0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
	},
	{
		0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
		0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
	},
	{
		0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
	},
}

// ParsePublicKey parses a public key in its wire format (protocol section 1): standard base64, with padding, of
// exactly 32 bytes. Each key has exactly one valid encoding: spare bits, line breaks, a set top bit and field values
// of 2^255-19 and more are refused. Keys of low order are refused because their shared secret is public. Each error
// wraps ErrPublicKey.
func ParsePublicKey(text string) (PublicKey, error) {
	if len(text) != publicKeyTextLen {
		return PublicKey{}, fmt.Errorf("%w: %d characters instead of %d", ErrPublicKey, len(text), publicKeyTextLen)
	}
	var raw [KeySize + 1]byte // base64.DecodedLen of the text
	n, err := base64.StdEncoding.Strict().Decode(raw[:], []byte(text))
	if err != nil {
		return PublicKey{}, fmt.Errorf("%w: not canonical base64", ErrPublicKey)
	}
	if n != KeySize { // the decoder skips line breaks
		return PublicKey{}, fmt.Errorf("%w: %d bytes instead of %d", ErrPublicKey, n, KeySize)
	}
	key := PublicKey(raw[:n])
	return key, key.check()
}

// check refuses keys that are not canonical or of low order.
func (key PublicKey) check() error {
	if key[KeySize-1]&0x80 != 0 {
		return fmt.Errorf("%w: its top bit is set", ErrPublicKey)
	}
	if !key.belowPrime() {
		return fmt.Errorf("%w: its value is 2^255-19 or more", ErrPublicKey)
	}
	for _, low := range lowOrder {
		if key == low {
			return fmt.Errorf("%w: it is of low order", ErrPublicKey)
		}
	}
	return nil
}

// belowPrime reports whether the little-endian value is less than 2^255-19. The bytes of that prime are 0xed, thirty
// times 0xff, 0x7f. The top bit of key must be clear.
func (key PublicKey) belowPrime() bool {
	if key[KeySize-1] != 0x7f {
		return true
	}
	for _, b := range key[1 : KeySize-1] {
		if b != 0xff {
			return true
		}
	}
	return key[0] < 0xed
}

// String returns the key in standard base64 with padding, 44 characters.
func (key PublicKey) String() string {
	return base64.StdEncoding.EncodeToString(key[:])
}

// NodeID returns the node ID of the key (protocol section 1): the first 16 bytes of its SHA-256 in lower-case hex, 32
// characters.
func (key PublicKey) NodeID() string {
	sum := sha256.Sum256(key[:])
	return hex.EncodeToString(sum[:nodeIDBytes])
}

// ValidNodeID reports whether s has the form of a node ID: 32 characters, each a digit or one of a to f.
func ValidNodeID(s string) bool {
	if len(s) != hex.EncodedLen(nodeIDBytes) {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
