package keystream

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
	"sync"
)

const (
	paddedLen = sha256.BlockSize
	stateSum  = 4 // where in a hash's marshaled state the sum begins, behind a word that says which hash it is
)

// hasher hashes blocks of the stream with what Go has. A hash that was given the
// padded message, and so has nothing left to pad, has the sum in its state: to read
// that takes two thirds of the time of crypto/sha256.Sum256, which copies the state
// and the message around. The state's form is not promised, so it is looked at
// once whether it is as expected. For one user at a time.
type hasher struct {
	hash  hash.Hash
	state encoding.BinaryAppender // the same
	block [paddedLen]byte         // nonce, number of the block, and the padding of a message of so many bytes
	room  [2 * paddedLen]byte     // for the state
}

func newHasher() *hasher {
	h := &hasher{hash: sha256.New()}
	h.state, _ = h.hash.(encoding.BinaryAppender)
	h.block[nonceLen+8] = 0x80
	binary.BigEndian.PutUint64(h.block[paddedLen-8:], 8*(nonceLen+8))
	return h
}

// sum returns the block of the given number, good until the next one. ok is false where
// the state cannot be read.
func (h *hasher) sum(number uint64) (sum []byte, ok bool) {
	if h.state == nil {
		return nil, false
	}
	binary.BigEndian.PutUint64(h.block[nonceLen:], number)
	h.hash.Reset()
	_, _ = h.hash.Write(h.block[:]) // does not fail
	state, err := h.state.AppendBinary(h.room[:0])
	if err != nil || len(state) < stateSum+blockLen {
		return nil, false
	}
	return state[stateSum:][:blockLen], true
}

// hashers recycles hashers.
var hashers = sync.Pool{New: func() any { return newHasher() }}

// readable says whether sums can be read from a hash's state.
var readable = func() bool {
	h := newHasher()
	for number := range uint64(2) {
		binary.BigEndian.PutUint64(h.block[nonceLen:], number)
		want := sha256.Sum256(h.block[:nonceLen+8])
		if got, ok := h.sum(number); !ok || !bytes.Equal(got, want[:]) {
			return false
		}
	}
	return true
}()

// portable is XOR where there is no assembly for it.
func portable(dst []byte, nonce *[nonceLen]byte) {
	if !readable {
		definition(dst, nonce)
		return
	}
	h := hashers.Get().(*hasher)
	copy(h.block[:], nonce[:])
	for i := uint64(0); len(dst) > 0; i++ {
		block, _ := h.sum(i) // it is readable
		dst = dst[xorBlock(dst, (*[blockLen]byte)(block)):]
	}
	hashers.Put(h)
}
