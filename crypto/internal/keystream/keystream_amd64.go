//go:build !purego

package keystream

import "golang.org/x/sys/cpu"

//go:generate go -C asm run . -out ../blocks_amd64.s -stubs ../blocks_amd64.go -pkg keystream

func pairs(dst []byte, nonce *[NonceLen]byte, counter uint32) {
	whole := len(dst) &^ 63
	if whole > 0 {
		xorPairs(dst[:whole], nonce, counter)
	}
	if tail := dst[whole:]; len(tail) > 0 {
		var scratch [64]byte
		copy(scratch[:], tail)
		xorPairs(scratch[:], nonce, counter+uint32(whole/32))
		copy(tail, scratch[:])
	}
}

var hasSHA = func() bool {
	_, ebx, _, _ := cpuid(7, 0)
	return ebx&(1<<29) != 0 && cpu.X86.HasSSE41 && cpu.X86.HasSSSE3
}()

var hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasBMI2

func lanes(dst []byte, nonce *[NonceLen]byte) {
	if len(dst) == 0 {
		return
	}
	var p plan
	p.init(nonce)
	xorLanes(dst, &p.start, &p.terms)
}
