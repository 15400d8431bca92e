package smsg

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/Snider/go-p2p/crypto/internal/keystream"
)

// Sealer seals the outbound frames of one connection. Its nonces are 16 random bytes, drawn once, and a counter of 8
// bytes, so no nonce repeats. Receivers must accept any nonce. Not safe for concurrent use.
type Sealer struct {
	key   *Key
	aead  cipher.AEAD    // for nonces that begin with nonce[:subkeyPrefixLen]
	nonce [nonceLen]byte // of the next frame: prefix and counter, big-endian
	short [shortNonceLen]byte
}

// NewSealer returns a Sealer with a nonce prefix read from random, or from crypto/rand if random is nil. The only
// errors are those of the reader.
func (k *Key) NewSealer(random io.Reader) (*Sealer, error) {
	if random == nil {
		random = rand.Reader
	}
	s := &Sealer{key: k}
	if err := s.renew(random); err != nil {
		return nil, err
	}
	return s, nil
}

// renew draws a new prefix and resets the counter.
func (s *Sealer) renew(random io.Reader) error {
	s.nonce = [nonceLen]byte{}
	if _, err := io.ReadFull(random, s.nonce[:subkeyPrefixLen]); err != nil {
		return fmt.Errorf("read random bytes for a nonce: %w", err)
	}
	aead, err := s.key.subkeyAEAD(s.nonce[:subkeyPrefixLen])
	s.aead = aead
	return err
}

// Seal appends the frame of plaintext to dst and returns the extended slice (protocol section 4). The frame is Overhead
// bytes longer than plaintext. Seal allocates nothing if dst has capacity for the frame.
//
// To seal in place, put the plaintext Headroom bytes after the end of dst: frame = s.Seal(frame[:0], frame[Headroom:]).
// Otherwise plaintext must not overlap the spare capacity of dst.
func (s *Sealer) Seal(dst, plaintext []byte) []byte {
	start := len(dst)
	dst = slices.Grow(dst, Overhead+len(plaintext))
	frame := append(dst[start:], frameHead...)
	frame = append(frame, s.nonce[:]...)
	body := frame[Headroom : Headroom+len(plaintext)]
	if len(body) > 0 && &body[0] != &plaintext[0] {
		copy(body, plaintext)
	}
	keystream.XOR(body, &s.nonce)
	copy(s.short[shortNoncePad:], s.nonce[subkeyPrefixLen:])
	s.aead.Seal(body[:0], s.short[:], body, nil)
	s.count()
	return dst[:start+Overhead+len(plaintext)]
}

// count advances to the next nonce. After 2^64 frames, more than any connection reaches, it draws a new prefix,
// because a repeated nonce reveals plaintext.
func (s *Sealer) count() {
	counter := s.nonce[subkeyPrefixLen:]
	next := binary.BigEndian.Uint64(counter) + 1
	binary.BigEndian.PutUint64(counter, next)
	if next != 0 {
		return
	}
	if err := s.renew(rand.Reader); err != nil { // unreachable: crypto/rand never returns an error
		panic(err)
	}
}
