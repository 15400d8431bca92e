package crypto

import (
	"crypto/cipher"

	"github.com/Snider/go-p2p/crypto/internal/keystream"
)

// Opener opens the frames that arrive on one connection. Not safe for concurrent use.
type Opener struct {
	codec *Codec
	nonce [nonceLen]byte

	// A peer that keeps the first bytes of its nonces gets a cipher of its own,
	// made when they come for the second time; one that draws each nonce anew
	// costs nothing but what it must.
	prefix [subkeyPrefixLen]byte // of the last frame that opened
	aead   cipher.AEAD           // for that prefix; nil: seen once at most
	short  [shortNonceLen]byte
}

// NewOpener makes an Opener.
func (c *Codec) NewOpener() *Opener { return &Opener{codec: c} }

// Open opens one frame (protocol section 4) and returns the message's JSON text
// in it, which is valid UTF-8 and not empty. Whether it is a message is not
// looked at. frame is overwritten, whatever the outcome, and body lies inside
// it: it is valid as long as frame is left alone.
//
// Each error is one of this package's ErrMalformedFrame kinds. All that a frame
// claims is checked before it is believed, and opening takes no memory beyond
// the frame itself.
func (o *Opener) Open(frame []byte) (body []byte, err error) {
	plaintext, err := o.Decrypt(frame)
	if err != nil {
		return nil, err
	}
	body, _, _, err = plaintext.Body(0)
	return body, err
}

// Decrypt is the first half of Open, up to what the cipher vouches for. Plaintext
// lies inside frame.
func (o *Opener) Decrypt(frame []byte) (Plaintext, error) {
	nonce, sealed, err := splitFrame(frame)
	if err != nil {
		return nil, err
	}
	o.nonce = *nonce
	plaintext, err := o.decrypt(sealed)
	if err != nil {
		return nil, ErrAuthentication
	}
	keystream.XOR(plaintext, &o.nonce)
	return plaintext, nil
}

// decrypt authenticates and decrypts in place.
func (o *Opener) decrypt(sealed []byte) ([]byte, error) {
	prefix := [subkeyPrefixLen]byte(o.nonce[:])
	if prefix != o.prefix {
		plaintext, err := o.codec.wide.Open(sealed[:0], o.nonce[:], sealed, nil)
		if err == nil { // only the peer itself may turn us away from the prefix it uses
			o.prefix, o.aead = prefix, nil
		}
		return plaintext, err
	}
	if o.aead == nil {
		aead, err := o.codec.subkeyAEAD(prefix[:])
		if err != nil {
			return nil, err
		}
		o.aead = aead
	}
	copy(o.short[shortNoncePad:], o.nonce[subkeyPrefixLen:])
	return o.aead.Open(sealed[:0], o.short[:], sealed, nil)
}
