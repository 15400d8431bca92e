package smsg

import (
	"crypto/cipher"
	"fmt"

	"github.com/Snider/go-p2p/crypto/internal/keystream"
)

// HeaderCheck returns nil if a container header, at most 4 KiB of unauthenticated bytes, is acceptable, or the reason
// to refuse it. It must not retain or modify header.
type HeaderCheck func(header []byte) error

// Opener opens the inbound frames of one connection. Not safe for concurrent use.
type Opener struct {
	key   *Key
	check HeaderCheck

	// A peer that keeps the prefix of its nonces needs one subkey, derived when the prefix arrives for the second time.
	// Peers with random nonces cause no extra work.
	prefix [subkeyPrefixLen]byte // of the last opened frame
	aead   cipher.AEAD           // for prefix; nil until its second frame
	short  [shortNonceLen]byte
}

// NewOpener returns an Opener. check is called for each header that differs from the header of deployed nodes; if
// check is nil, such headers are refused.
func (k *Key) NewOpener(check HeaderCheck) *Opener { return &Opener{key: k, check: check} }

// Open returns the plaintext of one frame (protocol section 4). It overwrites frame, also on an error; plaintext lies
// inside frame.
//
// Each error wraps ErrMalformedFrame. The error for a refused header also wraps the error of the HeaderCheck. Open
// checks lengths before it uses them and allocates no memory in proportion to the frame.
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
		if err == nil { // forged frames must not displace the cached subkey
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
