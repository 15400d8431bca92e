// Package keystream computes the key stream that masks the plaintext of a frame before encryption (protocol section 4):
// block i, 32 bytes, is SHA-256(nonce ‖ i as unsigned 64-bit big-endian), i from 0.
//
// The stream is as public as the nonce and adds no secrecy; deployed nodes require it. An error here yields a frame
// that does not open, never a weaker cipher.
//
// Block by block through crypto/sha256 the stream takes longer than the rest of a frame. On amd64 assembly computes two
// blocks at once with the SHA instructions, or 16 with AVX-512; see xor. The build tag purego excludes the assembly.
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

// XOR XORs dst with the key stream of nonce; a second call restores dst. It allocates nothing. Safe for concurrent use
// with distinct dst.
func XOR(dst []byte, nonce *[nonceLen]byte) { xor(dst, nonce) }

// definition implements XOR with crypto/sha256 alone. Tests compare all other implementations with it.
func definition(dst []byte, nonce *[nonceLen]byte) {
	var input [nonceLen + 8]byte
	copy(input[:], nonce[:])
	for i := uint64(0); len(dst) > 0; i++ {
		binary.BigEndian.PutUint64(input[nonceLen:], i)
		block := sha256.Sum256(input[:])
		dst = dst[xorBlock(dst, &block):]
	}
}

// xorBlock XORs the first bytes of dst with block and returns their number, at most 32.
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
