package smsg

import (
	"crypto/cipher"
	"fmt"

	"github.com/Snider/go-p2p/crypto/internal/keystream"
)

// HeaderCheck returns why a container header, at most 4 KiB of unauthenticated
// bytes, is refused, or nil. It must not keep or change the header.
type HeaderCheck func(header []byte) error

// Opener opens the frames that arrive on one connection. Not safe for
// concurrent use.
type Opener struct {
	key   *Key
	check HeaderCheck

	// The subkey of a peer that keeps the first bytes of its nonces is derived
	// once, when they arrive for the second time. A peer that draws every nonce
	// anew costs nothing extra.
	prefix [subkeyPrefixLen]byte // of the last frame that opened
	aead   cipher.AEAD           // for that prefix; nil: seen once at most
	short  [shortNonceLen]byte
}

// NewOpener returns an Opener. check judges every header other than the one that
// deployed nodes send; if it is nil, all others are refused.
func (k *Key) NewOpener(check HeaderCheck) *Opener { return &Opener{key: k, check: check} }

// Open returns the plaintext of one frame (protocol section 4): any bytes that a
// holder of the key has sealed. frame is overwritten in any case, and plaintext
// lies inside it.
//
// Each error is one of this package's ErrMalformedFrame kinds; that of a refused
// header also wraps the error of the HeaderCheck. Lengths are checked before
// they are used, and opening takes no memory beyond the frame itself.
func (o *Opener) Open(frame []byte) (plaintext []byte, err error) {
	head, nonce, sealed, err := split(frame)
	if err != nil {
		return nil, err
	}
	if string(head) != header {
		if err := o.checkHeader(head); err != nil {
			return nil, err
		}
	}
	plaintext, err = o.decrypt(sealed, nonce)
	if err != nil {
		return nil, ErrAuthentication
	}
	keystream.XOR(plaintext, nonce)
	return plaintext, nil
}

func (o *Opener) checkHeader(head []byte) error {
	if o.check == nil {
		return ErrHeader
	}
	if err := o.check(head); err != nil {
		return fmt.Errorf("%w: %w", ErrHeader, err)
	}
	return nil
}

// decrypt authenticates and decrypts in place.
func (o *Opener) decrypt(sealed []byte, nonce *[nonceLen]byte) ([]byte, error) {
	prefix := [subkeyPrefixLen]byte(nonce[:])
	if prefix != o.prefix {
		plaintext, err := o.key.wide.Open(sealed[:0], nonce[:], sealed, nil)
		if err == nil { // forged frames do not displace the subkey of the peer's prefix
			o.prefix, o.aead = prefix, nil
		}
		return plaintext, err
	}
	if o.aead == nil {
		aead, err := o.key.subkeyAEAD(prefix[:])
		if err != nil {
			return nil, err
		}
		o.aead = aead
	}
	copy(o.short[shortNoncePad:], nonce[subkeyPrefixLen:])
	return o.aead.Open(sealed[:0], o.short[:], sealed, nil)
}
