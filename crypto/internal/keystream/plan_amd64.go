//go:build !purego

package keystream

import (
	"encoding/binary"
	"math/bits"
)

type plan struct {
	start [8]uint32
	terms [22]uint32
}

func (p *plan) init(nonce *[NonceLen]byte) {
	var w [38]uint32
	for i := range 6 {
		w[i] = binary.BigEndian.Uint32(nonce[4*i:])
	}
	a, b, c, d, e, f, g, h := uint32(0x6a09e667), uint32(0xbb67ae85), uint32(0x3c6ef372), uint32(0xa54ff53a), uint32(0x510e527f), uint32(0x9b05688c), uint32(0x1f83d9ab), uint32(0x5be0cd19)
	for t := range 7 {
		t1 := h + k[t] + w[t] + (e&(f^g) ^ g) + (bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25))
		t2 := (a&(b|c) | b&c) + (bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22))
		h, g, f, e, d, c, b, a = g, f, e, d+t1, c, b, a, t1+t2
	}
	p.start = [8]uint32{a, b, c, d, e, f, g, h}
	w[8], w[15] = 0x80000000, 256
	for t := 16; t < 22; t++ {
		w[t] = w[t-16] + sigma0(w[t-15]) + w[t-7] + sigma1(w[t-2])
		p.terms[t-16] = w[t] + k[t]
	}
	for t := 22; t < 38; t++ {
		p.terms[t-16] = w[t-16] + sigma0(w[t-15]) + w[t-7] + sigma1(w[t-2])
	}
}

func sigma0(x uint32) uint32 {
	return bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3
}

func sigma1(x uint32) uint32 {
	return bits.RotateLeft32(x, -17) ^ bits.RotateLeft32(x, -19) ^ x>>10
}

var k = [22]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
}
