package smsg

import (
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/Snider/go-p2p/crypto"
)

// XChaCha20-Poly1305 with nonce N is ChaCha20-Poly1305 with nonce 0000 ‖ N[16:] under a subkey that HChaCha20 derives
// from the key and N[:16]. A Sealer keeps N[:16] constant, so it derives its subkey once instead of for each frame.
const (
	subkeyPrefixLen = 16 // bytes of the nonce that determine the subkey
	shortNoncePad   = 4  // zero bytes before the rest of the nonce
	shortNonceLen   = chacha20poly1305.NonceSize
)

// Key is the key of one pair of nodes (protocol section 4), the same in both directions and for all of their
// connections. It prints as the name of its type. Safe for concurrent use.
type Key struct {
	key  *[chacha20poly1305.KeySize]byte // a pointer, so that %v does not print the key
	wide cipher.AEAD                     // for complete nonces of 24 bytes
}

// NewKey derives the key from the shared secret of two nodes. It does not fail for any secret.
func NewKey(secret crypto.SharedSecret) (*Key, error) {
	text := base64.StdEncoding.AppendEncode(nil, secret[:])
	key := sha256.Sum256(text)
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, fmt.Errorf("make the frame cipher: %w", err)
	}
	return &Key{key: &key, wide: aead}, nil
}

// subkeyAEAD returns the cipher for nonces that begin with prefix. Its nonces are shortNoncePad zero bytes and the
// last 8 bytes of the original nonce.
func (k *Key) subkeyAEAD(prefix []byte) (cipher.AEAD, error) {
	subkey, err := chacha20.HChaCha20(k.key[:], prefix)
	if err != nil {
		return nil, fmt.Errorf("derive the frame subkey: %w", err)
	}
	aead, err := chacha20poly1305.New(subkey)
	if err != nil {
		return nil, fmt.Errorf("make the frame cipher: %w", err)
	}
	return aead, nil
}

// Without these methods some verbs, such as %s, would print the bytes of a key.

// Format writes "smsg.Key".
func (*Key) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "smsg.Key") }

// Format writes "smsg.Sealer".
func (*Sealer) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "smsg.Sealer") }

// Format writes "smsg.Opener".
func (*Opener) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, "smsg.Opener") }
