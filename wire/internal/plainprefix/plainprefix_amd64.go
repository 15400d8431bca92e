//go:build !purego

package plainprefix

import "golang.org/x/sys/cpu"

//go:generate go -C asm run . -out ../wide_amd64.s -stubs ../wide_amd64.go -pkg plainprefix

// hasAVX512 reports whether this CPU can run wide.
var hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasBMI1 && cpu.X86.HasBMI2

func length(text string) int {
	if hasAVX512 {
		return wide(text)
	}
	return words(text)
}
