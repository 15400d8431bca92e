package crypto

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/Snider/go-p2p/crypto/internal/keystream"
	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"
)

// XChaCha20-Poly1305 with nonce N is ChaCha20-Poly1305 with nonce 0000 ‖ N[16:]
// under a subkey that HChaCha20 makes of the key and N[:16]. A Sealer keeps
// N[:16], so it derives its subkey once and not for every frame.
const (
	subkeyPrefixLen = 16 // bytes of the nonce that choose the subkey
	shortNoncePad   = 4  // zero bytes before the rest of it
	shortNonceLen   = chacha20poly1305.NonceSize
)

const (
	maxDigits = 20                                                                // of the longest 64-bit integer in decimal, sign included
	maxEnd    = 1 + len(plaintextMid) + maxDigits + BindSize + len(plaintextTail) // the first byte stays free, so that 0 is no end
)

// frameHead is how all frames that we make begin.
var frameHead = string(append(binary.BigEndian.AppendUint32(append([]byte(magic), containerVersion), uint32(len(header))), header...))

// Codec holds the key of one pair of nodes (protocol section 4). The key is the
// same both ways and for each of their connections. Safe for concurrent use.
type Codec struct {
	key  *[chacha20poly1305.KeySize]byte // behind a pointer, so that no %v prints it
	wide cipher.AEAD                     // for whole nonces
}

// NewCodec derives the key from the shared secret of the two nodes.
func NewCodec(secret SharedSecret) (*Codec, error) {
	text := base64.StdEncoding.AppendEncode(nil, secret[:])
	key := sha256.Sum256(text)
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		return nil, fmt.Errorf("make the frame cipher: %w", err)
	}
	return &Codec{key: &key, wide: aead}, nil
}

// subkeyAEAD returns the cipher for all nonces that begin with prefix; it takes the
// other 8 bytes of a nonce, after shortNoncePad zero bytes.
func (c *Codec) subkeyAEAD(prefix []byte) (cipher.AEAD, error) {
	subkey, err := chacha20.HChaCha20(c.key[:], prefix)
	if err != nil {
		return nil, fmt.Errorf("derive the frame subkey: %w", err)
	}
	aead, err := chacha20poly1305.New(subkey)
	if err != nil {
		return nil, fmt.Errorf("make the frame cipher: %w", err)
	}
	return aead, nil
}

// FrameSize returns the exact length in bytes of the frame that Seal makes of an
// escaped body of the given length at the given Unix second.
func FrameSize(escapedLen int, now int64) int {
	var room [maxDigits]byte
	return overhead + escapedLen + len(strconv.AppendInt(room[:0], now, 10))
}

// Sealer makes the frames of one connection in one direction. Its nonces are 16
// random bytes, drawn once, and a counter: never repeated, and a receiver, who
// must take any nonce, sees no difference. Not safe for concurrent use.
type Sealer struct {
	codec *Codec
	aead  cipher.AEAD    // for nonces that begin with nonce[:subkeyPrefixLen]
	nonce [nonceLen]byte // of the next frame: prefix, then the counter, big-endian
	short [shortNonceLen]byte

	// The plaintext's end, right-aligned in end. What stands behind the timestamp is fixed; the rest changes once a second.
	second int64
	end    [maxEnd]byte
	endAt  uint8 // where the end begins; 0: the timestamp is not written yet
	tailAt uint8 // where it goes on behind the timestamp
}

// NewSealer makes a Sealer with a nonce prefix read from random, or from
// crypto/rand when that is nil. The only errors are those of the reader.
func (c *Codec) NewSealer(random io.Reader) (*Sealer, error) {
	if random == nil {
		random = rand.Reader
	}
	s := &Sealer{codec: c}
	s.setTail(plaintextTail)
	if err := s.renew(random); err != nil {
		return nil, err
	}
	return s, nil
}

// Bind marks every frame sealed from now on with b, which makes each BindSize
// bytes longer than FrameSize says. The zero Bind ends the marking.
func (s *Sealer) Bind(b Bind) {
	if b == (Bind{}) {
		s.setTail(plaintextTail)
		return
	}
	s.setTail(bindHead, string(b[:]), bindTail)
}

// Mark returns the mark of the frames, nil if they have none. It lies in the Sealer and must not be changed.
func (s *Sealer) Mark() *Bind {
	tail := s.end[s.tailAt:]
	if len(tail) == len(plaintextTail) {
		return nil
	}
	return (*Bind)(tail[len(bindHead):])
}

// setTail writes what every plaintext ends with.
func (s *Sealer) setTail(parts ...string) {
	tail := strings.Join(parts, "")
	at := len(s.end) - len(tail)
	copy(s.end[at:], tail)
	s.endAt, s.tailAt = 0, uint8(at)
}

// renew draws a prefix and starts counting.
func (s *Sealer) renew(random io.Reader) error {
	s.nonce = [nonceLen]byte{}
	if _, err := io.ReadFull(random, s.nonce[:subkeyPrefixLen]); err != nil {
		return fmt.Errorf("read random bytes for a nonce: %w", err)
	}
	aead, err := s.codec.subkeyAEAD(s.nonce[:subkeyPrefixLen])
	s.aead = aead
	return err
}

// BodyOffset is where in a frame the escaped body begins, in bytes.
const BodyOffset = prefixLen + len(header) + nonceLen + len(plaintextHead)

// Seal appends one whole frame (protocol section 4) to dst and returns the
// result. escapedBody is what EscapeBody made of the message's JSON; it must not be
// empty, since no receiver opens an empty body, and not lie in the free part of
// dst. unixSeconds goes into the frame as its timestamp. Nothing is allocated
// when dst has room for FrameSize more bytes.
func (s *Sealer) Seal(dst, escapedBody []byte, unixSeconds int64) []byte {
	start := len(dst)
	dst = slices.Grow(dst, BodyOffset+len(escapedBody)+len(s.ending(unixSeconds))+tagLen)
	dst = append(dst[:start+BodyOffset], escapedBody...)
	return dst[:start+len(s.SealInPlace(dst[start:], unixSeconds))]
}

// SealInPlace is Seal for a body that is where it has to be: frame[BodyOffset:] is the
// escaped body, and what stands before it is overwritten. The result is frame made
// longer, or a copy when it has no room for FrameSize bytes.
func (s *Sealer) SealInPlace(frame []byte, unixSeconds int64) []byte {
	head := append(frame[:0], frameHead...)
	head = append(head, s.nonce[:]...)
	start := len(head)
	_ = append(head, plaintextHead...)

	end := s.ending(unixSeconds)
	frame = append(slices.Grow(frame, len(end)+tagLen), end...)

	plaintext := frame[start:]
	keystream.XOR(plaintext, &s.nonce)
	copy(s.short[shortNoncePad:], s.nonce[subkeyPrefixLen:])
	sealed := s.aead.Seal(plaintext[:0], s.short[:], plaintext, nil)
	s.count()
	return frame[:start+len(sealed)]
}

// ending is what stands behind the body.
func (s *Sealer) ending(unixSeconds int64) []byte {
	if s.endAt == 0 || s.second != unixSeconds {
		var room [maxDigits]byte
		digits := strconv.AppendInt(room[:0], unixSeconds, 10)
		at := int(s.tailAt) - len(digits)
		copy(s.end[at:], digits)
		at -= len(plaintextMid)
		copy(s.end[at:], plaintextMid)
		s.second, s.endAt = unixSeconds, uint8(at)
	}
	return s.end[s.endAt:]
}

// count moves on to the next nonce. After 2^64 frames, which nobody will see, it
// takes another prefix rather than a nonce for the second time.
func (s *Sealer) count() {
	counter := s.nonce[subkeyPrefixLen:]
	next := binary.BigEndian.Uint64(counter) + 1
	binary.BigEndian.PutUint64(counter, next)
	if next != 0 {
		return
	}
	if err := s.renew(rand.Reader); err != nil { // crypto/rand does not fail; without a nonce there is no going on
		panic(err)
	}
}
