// Package mac computes HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869) of short inputs without allocation.
//
// crypto/hkdf allocates 14 objects for the key and the IV of a direction, and 5 kB for a new session, in the sizes of
// the objects that a connection keeps. The collector frees them, but not the pages that they share with those objects:
// this cost 1 kB of resident memory for each connection.
package mac

import "crypto/sha256"

// Size is the length of a MAC and of a pseudorandom key, in bytes.
const Size = sha256.Size

// onStack is the length of the longest message that is hashed without allocation, in bytes.
const onStack = 192

// Sum returns the HMAC-SHA256 of message. It clears its copies of both arguments.
func Sum(key, message []byte) [Size]byte {
	var padded [sha256.BlockSize]byte
	if len(key) > len(padded) {
		hash := sha256.Sum256(key)
		key = hash[:]
	}
	copy(padded[:], key)
	var space [sha256.BlockSize + onStack]byte
	var outer [sha256.BlockSize + Size]byte
	for i, b := range padded {
		space[i], outer[i] = b^0x36, b^0x5c
	}
	inner := append(space[:sha256.BlockSize], message...)
	hash := sha256.Sum256(inner)
	copy(outer[sha256.BlockSize:], hash[:])
	mac := sha256.Sum256(outer[:])
	clear(padded[:])
	clear(space[:])
	clear(inner)
	clear(outer[:])
	return mac
}

// Extract returns HKDF-Extract of the input key material. The caller clears the result.
func Extract(salt, ikm []byte) [Size]byte { return Sum(salt, ikm) }

// Expand fills out with HKDF-Expand of a pseudorandom key. out has at most 255 × Size bytes.
func Expand(prk []byte, info string, out []byte) {
	var space [onStack]byte
	for counter := byte(1); len(out) > 0; counter++ {
		message := space[:0]
		if counter > 1 {
			message = space[:Size] // the block before
		}
		message = append(append(message, info...), counter)
		block := Sum(prk, message)
		out = out[copy(out, block[:]):]
		copy(space[:], block[:])
		clear(block[:])
	}
	clear(space[:])
}
