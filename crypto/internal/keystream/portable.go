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
	stateSum  = 4 // offset of the sum in the marshaled state of a hash, after 4 bytes that identify the algorithm
)

// hasher computes blocks of the stream without assembly. It writes the message with its padding, so the marshaled state
// of the hash contains the sum. Reading it there takes two thirds of the time of crypto/sha256.Sum256. Go does not
// guarantee the layout of the state; see readable. Not safe for concurrent use.
type hasher struct {
	hash    hash.Hash
	state   encoding.BinaryAppender // the same hash; nil if it cannot marshal its state
	block   [paddedLen]byte         // nonce, block number, SHA-256 padding
	scratch [2 * paddedLen]byte     // for the marshaled state
}

func newHasher() *hasher {
	h := &hasher{hash: sha256.New()}
	h.state, _ = h.hash.(encoding.BinaryAppender)
	h.block[nonceLen+8] = 0x80
	binary.BigEndian.PutUint64(h.block[paddedLen-8:], 8*(nonceLen+8))
	return h
}

// sum returns block number of the stream, valid until the next call. ok is false if the state cannot be read.
func (h *hasher) sum(number uint64) (sum []byte, ok bool) {
	if h.state == nil {
		return nil, false
	}
	binary.BigEndian.PutUint64(h.block[nonceLen:], number)
	h.hash.Reset()
	_, _ = h.hash.Write(h.block[:]) // a hash never returns an error
	state, err := h.state.AppendBinary(h.scratch[:0])
	if err != nil || len(state) < stateSum+blockLen {
		return nil, false
	}
	return state[stateSum:][:blockLen], true
}

// hashers recycles hashers.
var hashers = sync.Pool{New: func() any { return newHasher() }}

// readable reports whether the state of crypto/sha256 has the layout that hasher reads. If not, portable uses
// definition.
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

// portable implements XOR without assembly.
func portable(dst []byte, nonce *[nonceLen]byte) {
	if !readable {
		definition(dst, nonce)
		return
	}
	h := hashers.Get().(*hasher)
	copy(h.block[:], nonce[:])
	for i := uint64(0); len(dst) > 0; i++ {
		block, _ := h.sum(i) // ok, as readable has checked
		dst = dst[xorBlock(dst, (*[blockLen]byte)(block)):]
	}
	hashers.Put(h)
}
