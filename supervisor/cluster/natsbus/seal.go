package natsbus

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/crypto/chacha20poly1305"
)

// A sealed body: version, 1 byte; nonce, 24 bytes: 16 random bytes of the sender's start and a counter of 8 bytes; the
// body under XChaCha20-Poly1305. Its purpose is the associated data: the subject of a message or request; of an answer
// the nonce of its request, since the operator of NATS chooses the subjects of answers.
const (
	sealVersion = 1
	streamSize  = 16
	sealHeader  = 1 + chacha20poly1305.NonceSizeX
)

var (
	errSeal   = errors.New("it was not sealed by a member with this key and secret")
	errReplay = errors.New("it was received before")
	errOld    = errors.New("its sender has not proven yet that it runs, or sent it before")
)

// stream identifies one start of a member.
type stream [streamSize]byte

// sealer seals and opens bodies. Safe for concurrent use.
type sealer struct {
	ciphers []cipher.AEAD // the first one seals
	own     stream
	counter atomic.Uint64
}

func newSealer(keys [][32]byte) (*sealer, error) {
	s := &sealer{}
	if _, err := rand.Read(s.own[:]); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	for _, key := range keys {
		aead, err := chacha20poly1305.NewX(key[:])
		if err != nil {
			return nil, err
		}
		s.ciphers = append(s.ciphers, aead)
	}
	return s, nil
}

// answerTo returns the purpose of an answer to a sealed request. No subject contains a space.
func answerTo(request []byte) string {
	return "answer " + string(request[1:sealHeader])
}

// seal returns a sealed copy of a body.
func (s *sealer) seal(purpose string, body []byte) []byte {
	sealed := make([]byte, sealHeader, sealHeader+len(body)+chacha20poly1305.Overhead)
	sealed[0] = sealVersion
	copy(sealed[1:], s.own[:])
	binary.BigEndian.PutUint64(sealed[1+streamSize:], s.counter.Add(1))
	return s.ciphers[0].Seal(sealed, sealed[1:sealHeader], body, []byte(purpose))
}

// open decrypts a sealed body in place. It returns the sender's stream and the number of the body in it.
func (s *sealer) open(purpose string, sealed []byte) (body []byte, from stream, number uint64, err error) {
	if len(sealed) < sealHeader || sealed[0] != sealVersion {
		return nil, from, 0, errSeal
	}
	nonce, text := sealed[1:sealHeader], sealed[sealHeader:]
	for i, aead := range s.ciphers {
		into := text[:0]
		if i < len(s.ciphers)-1 {
			into = nil // after a failure the text is needed again
		}
		if body, err := aead.Open(into, nonce, text, []byte(purpose)); err == nil {
			return body, stream(nonce), binary.BigEndian.Uint64(nonce[streamSize:]), nil
		}
	}
	return nil, from, 0, errSeal
}
