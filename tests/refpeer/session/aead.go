// Package session is the bytes of session/1, implemented a second time: key schedule and records. It imports no package
// of this module and takes other implementations than the node wherever that is possible: X25519 and ML-KEM-768 from
// cloudflare/circl, HKDF, GHASH, ChaCha20 and Poly1305 written here from their specifications. Only SHA-256, HMAC and
// the AES block function come from the standard library, as in the node: a fault there would fail every other test of
// theirs. It is slow (about 10 MB/s), not constant-time, and keeps secrets in memory: for tests only.
package session

import (
	"crypto/aes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"slices"
)

// The names of the two AEADs on the wire.
const (
	AES256GCM        = "aes256gcm"
	ChaCha20Poly1305 = "chacha20poly1305"
)

const tagSize = 16

// ErrOpen means that a record is not authentic.
var ErrOpen = errors.New("session: the record does not open")

// sealAEAD encrypts with one of the two AEADs: ciphertext, then the tag of 16 bytes.
func sealAEAD(name string, key, nonce, plaintext, additional []byte) []byte {
	if name == ChaCha20Poly1305 {
		text := chacha20(key, nonce, 1, plaintext)
		return append(text, chachaTag(key, nonce, text, additional)...)
	}
	text := gcmCounter(key, nonce, plaintext)
	return append(text, gcmTag(key, nonce, text, additional)...)
}

// openAEAD is the inverse of sealAEAD. It returns ErrOpen if the tag differs.
func openAEAD(name string, key, nonce, sealed, additional []byte) ([]byte, error) {
	if len(sealed) < tagSize {
		return nil, ErrOpen
	}
	text, tag := sealed[:len(sealed)-tagSize], sealed[len(sealed)-tagSize:]
	if name == ChaCha20Poly1305 {
		if subtle.ConstantTimeCompare(tag, chachaTag(key, nonce, text, additional)) == 0 {
			return nil, ErrOpen
		}
		return chacha20(key, nonce, 1, text), nil
	}
	if subtle.ConstantTimeCompare(tag, gcmTag(key, nonce, text, additional)) == 0 {
		return nil, ErrOpen
	}
	return gcmCounter(key, nonce, text), nil
}

// gcmBlock encrypts the block nonce || counter (NIST SP 800-38D, section 7).
func gcmBlock(key, nonce []byte, counter uint32) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has 32 bytes
	}
	out := binary.BigEndian.AppendUint32(slices.Clone(nonce), counter)
	block.Encrypt(out, out)
	return out
}

// gcmCounter XORs a text with the key stream, which starts at counter 2.
func gcmCounter(key, nonce, text []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out, stream := make([]byte, len(text)), make([]byte, 16)
	for at := 0; at < len(text); at += 16 {
		copy(stream, nonce)
		binary.BigEndian.PutUint32(stream[12:], uint32(2+at/16))
		block.Encrypt(stream, stream)
		subtle.XORBytes(out[at:], text[at:], stream)
	}
	return out
}

// gcmTag is GHASH over the additional data, the ciphertext and their lengths, masked with the block of counter 1.
func gcmTag(key, nonce, text, additional []byte) []byte {
	zero, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	h := make([]byte, 16)
	zero.Encrypt(h, h)
	sum := ghash{h: element(h)}
	sum.write(additional)
	sum.write(text)
	var lengths [16]byte
	binary.BigEndian.PutUint64(lengths[:8], uint64(len(additional))*8)
	binary.BigEndian.PutUint64(lengths[8:], uint64(len(text))*8)
	sum.write(lengths[:])
	tag := binary.BigEndian.AppendUint64(nil, sum.y[0])
	tag = binary.BigEndian.AppendUint64(tag, sum.y[1])
	subtle.XORBytes(tag, tag, gcmBlock(key, nonce, 1))
	return tag
}

// ghash is the hash of GCM: y = (y XOR block) · h in GF(2^128), bit 0 is the most significant bit of word 0.
type ghash struct{ h, y [2]uint64 }

func element(block []byte) [2]uint64 {
	return [2]uint64{binary.BigEndian.Uint64(block), binary.BigEndian.Uint64(block[8:])}
}

// write hashes data, filled up with zeroes to whole blocks.
func (g *ghash) write(data []byte) {
	for len(data) > 0 {
		var block [16]byte
		data = data[copy(block[:], data):]
		x := element(block[:])
		g.y = multiply([2]uint64{g.y[0] ^ x[0], g.y[1] ^ x[1]}, g.h)
	}
}

// multiply is algorithm 1 of NIST SP 800-38D, bit by bit.
func multiply(x, v [2]uint64) (z [2]uint64) {
	for _, word := range x {
		for bit := 63; bit >= 0; bit-- {
			mask := -(word >> bit & 1)
			z[0] ^= v[0] & mask
			z[1] ^= v[1] & mask
			reduce := -(v[1] & 1) & 0xe1 << 56
			v = [2]uint64{v[0]>>1 ^ reduce, v[1]>>1 | v[0]<<63}
		}
	}
	return z
}

// chacha20 XORs a text with the key stream from a block number on (RFC 8439, section 2.4).
func chacha20(key, nonce []byte, counter uint32, text []byte) []byte {
	start := [16]uint32{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}
	for i := range 8 {
		start[4+i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	for i := range 3 {
		start[13+i] = binary.LittleEndian.Uint32(nonce[4*i:])
	}
	out := make([]byte, len(text))
	for at := 0; at < len(text); at += 64 {
		start[12] = counter + uint32(at/64)
		subtle.XORBytes(out[at:], text[at:], chachaBlock(start))
	}
	return out
}

// chachaBlock is 20 rounds over a state: 64 bytes of key stream.
func chachaBlock(start [16]uint32) []byte {
	s := start
	quarter := func(a, b, c, d int) {
		s[a] += s[b]
		s[d] = bits.RotateLeft32(s[d]^s[a], 16)
		s[c] += s[d]
		s[b] = bits.RotateLeft32(s[b]^s[c], 12)
		s[a] += s[b]
		s[d] = bits.RotateLeft32(s[d]^s[a], 8)
		s[c] += s[d]
		s[b] = bits.RotateLeft32(s[b]^s[c], 7)
	}
	for range 10 {
		for i := range 4 {
			quarter(i, 4+i, 8+i, 12+i)
		}
		for i := range 4 {
			quarter(i, 4+(i+1)%4, 8+(i+2)%4, 12+(i+3)%4)
		}
	}
	var out []byte
	for i := range s {
		out = binary.LittleEndian.AppendUint32(out, s[i]+start[i])
	}
	return out
}

// chachaTag is Poly1305 under the first 32 bytes of block 0 (RFC 8439, section 2.8).
func chachaTag(key, nonce, text, additional []byte) []byte {
	pad := func(b []byte) []byte { return make([]byte, -len(b)&15) }
	data := slices.Concat(additional, pad(additional), text, pad(text))
	data = binary.LittleEndian.AppendUint64(data, uint64(len(additional)))
	data = binary.LittleEndian.AppendUint64(data, uint64(len(text)))
	return poly1305(chacha20(key, nonce, 0, make([]byte, 32)), data)
}

// poly1305 evaluates the polynomial with big numbers (RFC 8439, section 2.5).
func poly1305(key, data []byte) []byte {
	r := slices.Clone(key[:16])
	for _, i := range []int{3, 7, 11, 15} {
		r[i] &= 15
	}
	for _, i := range []int{4, 8, 12} {
		r[i] &= 252
	}
	factor, sum := littleEndian(r), new(big.Int)
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 130), big.NewInt(5))
	for block := range slices.Chunk(data, 16) {
		sum.Add(sum, littleEndian(append(slices.Clone(block), 1)))
		sum.Mod(sum.Mul(sum, factor), prime)
	}
	sum.Add(sum, littleEndian(key[16:32]))
	sum.Mod(sum, new(big.Int).Lsh(big.NewInt(1), 128))
	tag := sum.FillBytes(make([]byte, tagSize))
	slices.Reverse(tag)
	return tag
}

func littleEndian(b []byte) *big.Int {
	reversed := slices.Clone(b)
	slices.Reverse(reversed)
	return new(big.Int).SetBytes(reversed)
}

// checkAEAD returns an error for a name that is none of the two.
func checkAEAD(name string) error {
	if name != AES256GCM && name != ChaCha20Poly1305 {
		return fmt.Errorf("session: unknown AEAD %q", name)
	}
	return nil
}
