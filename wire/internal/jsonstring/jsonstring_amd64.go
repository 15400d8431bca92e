//go:build !purego

package jsonstring

import "golang.org/x/sys/cpu"

//go:generate go -C asm run . -out ../blocks_amd64.s -stubs ../blocks_amd64.go -pkg jsonstring

// hasCompression reports whether this CPU can run the assembly.
var hasCompression = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VBMI2 &&
	cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && cpu.X86.HasPOPCNT

func escape(dst, text []byte) (read, written int) {
	if hasCompression {
		return escapeBlocks(dst, text)
	}
	return escapeWords(dst, text)
}

func unescape(text []byte, to, at int) (newTo, newAt int) {
	if hasCompression {
		return unescapeBlocks(text, to, at)
	}
	return unescapeWords(text, to, at)
}
