//go:build !purego

package keystream

// fast returns the assembly that this CPU can run, including implementations that xor does not select here.
func fast() (available []implementation) {
	if hasSHA {
		all := func(dst []byte, nonce *[nonceLen]byte) { pairs(dst, nonce, 0) }
		available = append(available, implementation{"pairs", all})
	}
	if hasAVX512 {
		available = append(available, implementation{"lanes", lanes})
	}
	if hasSHA && hasAVX512 {
		available = append(available, implementation{"lanes and pairs", lanesAndPairs})
	}
	return available
}
