//go:build !purego

package keystream

// fast is what the CPU has of the assembly; XOR takes only part of it at most lengths.
func fast() (available []implementation) {
	if hasSHA {
		available = append(available, implementation{"pairs", func(dst []byte, nonce *[nonceLen]byte) { pairs(dst, nonce, 0) }})
	}
	if hasAVX512 {
		available = append(available, implementation{"lanes", lanes})
	}
	return available
}
