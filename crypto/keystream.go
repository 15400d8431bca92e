package crypto

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

// xorKeystream XORs dst with the key stream of a nonce (protocol section 4):
// block i, 32 bytes, is SHA-256(nonce ‖ i as unsigned 64-bit big-endian), i from
// 0. Doing it twice changes nothing. The stream is public like the nonce: it
// hides nothing, deployed nodes just expect it.
func xorKeystream(dst []byte, nonce *[nonceLen]byte) {
	var input [nonceLen + 8]byte
	copy(input[:], nonce[:])
	for i := uint64(0); len(dst) > 0; i++ {
		binary.BigEndian.PutUint64(input[nonceLen:], i)
		block := sha256.Sum256(input[:])
		if len(dst) < len(block) {
			subtle.XORBytes(dst, dst, block[:])
			return
		}
		words := (*[sha256.Size]byte)(dst)
		for at := 0; at < sha256.Size; at += 8 {
			binary.LittleEndian.PutUint64(words[at:],
				binary.LittleEndian.Uint64(words[at:])^binary.LittleEndian.Uint64(block[at:]))
		}
		dst = dst[sha256.Size:]
	}
}
