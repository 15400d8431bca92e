package natsbus

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/chacha20poly1305"
)

// A sealed body: version, 1 byte; nonce, 24 bytes: 16 random bytes of the sender's start and a counter of 8 bytes; the
// body under XChaCha20-Poly1305 with the subject as associated data.
const (
	sealVersion = 1
	streamSize  = 16
	sealHeader  = 1 + chacha20poly1305.NonceSizeX
)

var (
	errSeal   = errors.New("it was not sealed by a member with this key and secret")
	errReplay = errors.New("it was received before")
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

// seal returns a sealed copy of a body.
func (s *sealer) seal(subject string, body []byte) []byte {
	sealed := make([]byte, sealHeader, sealHeader+len(body)+chacha20poly1305.Overhead)
	sealed[0] = sealVersion
	copy(sealed[1:], s.own[:])
	binary.BigEndian.PutUint64(sealed[1+streamSize:], s.counter.Add(1))
	return s.ciphers[0].Seal(sealed, sealed[1:sealHeader], body, []byte(subject))
}

// open decrypts a sealed body in place. It returns the sender's stream and the number of the body in it.
func (s *sealer) open(subject string, sealed []byte) (body []byte, from stream, number uint64, err error) {
	if len(sealed) < sealHeader || sealed[0] != sealVersion {
		return nil, from, 0, errSeal
	}
	nonce, text := sealed[1:sealHeader], sealed[sealHeader:]
	for i, aead := range s.ciphers {
		into := text[:0]
		if i < len(s.ciphers)-1 {
			into = nil // after a failure the text is needed again
		}
		if body, err := aead.Open(into, nonce, text, []byte(subject)); err == nil {
			return body, stream(nonce), binary.BigEndian.Uint64(nonce[streamSize:]), nil
		}
	}
	return nil, from, 0, errSeal
}

// Sizes of the memory for replays.
const (
	maxStreams = 256  // starts of members, per subscription
	windowSize = 1024 // numbers behind the highest one
)

// replays recognises bodies that a subscription has received before, in this process. Safe for concurrent use.
type replays struct {
	mu      sync.Mutex
	clock   uint64
	windows map[stream]*window
}

// window is the set of received numbers of one stream.
type window struct {
	highest uint64
	seen    [windowSize / 64]uint64 // by number modulo windowSize
	used    uint64                  // clock of the last body
}

// fresh reports whether a body was not received before. Numbers more than windowSize behind the highest one of the
// stream are not fresh.
func (r *replays) fresh(from stream, number uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.windows[from]
	if w == nil {
		if len(r.windows) >= maxStreams {
			r.evict()
		}
		w = &window{highest: number}
		if r.windows == nil {
			r.windows = make(map[stream]*window)
		}
		r.windows[from] = w
	}
	r.clock++
	w.used = r.clock
	return w.add(number)
}

// evict forgets the stream that was heard least recently.
func (r *replays) evict() {
	var oldest stream
	used := r.clock + 1
	for s, w := range r.windows {
		if w.used < used {
			oldest, used = s, w.used
		}
	}
	delete(r.windows, oldest)
}

// add returns false if the number is in the window or below it.
func (w *window) add(number uint64) bool {
	if number+windowSize <= w.highest {
		return false
	}
	if number > w.highest {
		for n := w.highest + 1; n <= number && n <= w.highest+windowSize; n++ {
			w.seen[n%windowSize/64] &^= 1 << (n % 64)
		}
		w.highest = number
	}
	bit := uint64(1) << (number % 64)
	if w.seen[number%windowSize/64]&bit != 0 {
		return false
	}
	w.seen[number%windowSize/64] |= bit
	return true
}
