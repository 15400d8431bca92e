//go:build !purego

package plainprefix

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate go -C asm run . -out ../wide_amd64.s -stubs ../wide_amd64.go -pkg plainprefix

// hasAVX512 reports whether this CPU can run wide.
var hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasBMI1 && cpu.X86.HasBMI2

// length tests one word itself: many texts of JSON end within it, and a call of wide takes as long as several words.
func length(text string) int {
	if !hasAVX512 {
		return words(text)
	}
	if len(text) >= 8 {
		word := binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(text), 8))
		if found := marks(word) & tops; found != 0 {
			return bits.TrailingZeros64(found) / 8
		}
	}
	return wide(text)
}
