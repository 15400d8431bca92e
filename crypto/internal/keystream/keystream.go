// Package keystream makes the key stream that masks the plaintext of an encrypted
// frame before the cipher (protocol section 4): block i, 32 bytes, is
// SHA-256(nonce ‖ i as unsigned 64-bit big-endian), i from 0.
//
// The stream is as public as the nonce. It hides nothing, deployed nodes just
// expect it; so a mistake here shows as a frame that does not open, not as a
// weaker cipher.
//
// One such block after the other through crypto/sha256 would take longer than all
// the rest of a frame. On amd64 two of them are computed at once with the SHA
// instructions, or 16 with AVX-512. The build tag purego leaves only portable.
package keystream

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

// NonceLen is the length of a nonce in bytes.
const NonceLen = 24

const blockLen = sha256.Size

// portable is the definition of the stream; the other implementations are tested
// against it.
func portable(dst []byte, nonce *[NonceLen]byte) {
	var input [NonceLen + 8]byte
	copy(input[:], nonce[:])
	for i := uint64(0); len(dst) > 0; i++ {
		binary.BigEndian.PutUint64(input[NonceLen:], i)
		block := sha256.Sum256(input[:])
		if len(dst) < len(block) {
			subtle.XORBytes(dst, dst, block[:])
			return
		}
		words := (*[blockLen]byte)(dst)
		for at := 0; at < blockLen; at += 8 {
			binary.LittleEndian.PutUint64(words[at:],
				binary.LittleEndian.Uint64(words[at:])^binary.LittleEndian.Uint64(block[at:]))
		}
		dst = dst[blockLen:]
	}
}
