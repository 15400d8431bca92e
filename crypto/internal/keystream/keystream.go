// Package keystream makes the key stream that masks the plaintext of an encrypted
// frame before the cipher (protocol section 4): block i, 32 bytes, is
// SHA-256(nonce ‖ i as unsigned 64-bit big-endian), i from 0.
//
// The stream is as public as the nonce. It hides nothing, deployed nodes just
// expect it; so a mistake here shows as a frame that does not open, not as a
// weaker cipher.
//
// Through crypto/sha256, one block after the other, the stream takes longer than
// all the rest of a frame. On amd64 two blocks are computed at once with the SHA
// instructions, or 16 with AVX-512, whatever the CPU has. The build tag purego
// leaves only what Go has.
package keystream

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

const (
	nonceLen = 24
	blockLen = sha256.Size
)

// XOR XORs dst with the key stream of a nonce. Doing it twice changes nothing. It
// allocates nothing and is safe for concurrent use, each call with a dst of its own.
func XOR(dst []byte, nonce *[nonceLen]byte) { xor(dst, nonce) }

// definition is XOR in terms of crypto/sha256. The other implementations are
// tested against it.
func definition(dst []byte, nonce *[nonceLen]byte) {
	var input [nonceLen + 8]byte
	copy(input[:], nonce[:])
	for i := uint64(0); len(dst) > 0; i++ {
		binary.BigEndian.PutUint64(input[nonceLen:], i)
		block := sha256.Sum256(input[:])
		dst = dst[xorBlock(dst, &block):]
	}
}

// xorBlock XORs the beginning of dst with a block and returns how many bytes that were.
func xorBlock(dst []byte, block *[blockLen]byte) int {
	if len(dst) < len(block) {
		return subtle.XORBytes(dst, dst, block[:])
	}
	words := (*[blockLen]byte)(dst)
	for at := 0; at < blockLen; at += 8 {
		binary.LittleEndian.PutUint64(words[at:],
			binary.LittleEndian.Uint64(words[at:])^binary.LittleEndian.Uint64(block[at:]))
	}
	return blockLen
}
