// Package plainprefix looks for the end of what stands for itself in a JSON string:
// ASCII from the space on, except quote and backslash. Most of what a node reads
// and writes is that.
//
// It tests eight bytes at a time, long texts 32, and on amd64 with AVX-512 any text
// 64. The build tag purego leaves out the last.
package plainprefix

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

const (
	ones = 0x0101010101010101 // times a byte: that byte in each of eight
	tops = 0x8080808080808080

	long = 40 // bytes: more than an ID has
)

// Len returns how many bytes at the start of text stand for themselves.
func Len(text []byte) int { return length(unsafe.String(unsafe.SliceData(text), len(text))) } // nobody keeps it

// LenString is Len for a string. Where there are both, this one is the better: what has
// just been copied may not be there yet for a wide load.
func LenString(text string) int { return length(text) }

// words is Len with what Go has.
func words(from string) int {
	i, text := 0, unsafe.Slice(unsafe.StringData(from), len(from)) // nobody writes to it
	for ; i+8 <= len(text); i += 8 {
		if i == long {
			if i += blocks(text[i:]); i+8 > len(text) {
				break
			}
		}
		if found := marks(binary.LittleEndian.Uint64(text[i:])) & tops; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(text) && text[i] >= ' ' && text[i] != '"' && text[i] != '\\' && text[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// marks sets the top bit of each of eight bytes that does not stand for itself. A
// borrow can reach only bytes above one that is already marked, so the lowest mark
// is always right, and no mark at all, too. The other bits mean nothing.
//
// XORed with 2 the quote comes to lie next to the control characters, and all
// printable others stay beyond: so one subtraction finds both. What is not ASCII
// keeps its top bit in one of the two.
func marks(word uint64) uint64 {
	return ((word ^ ones*2) - ones*('"'-1)) | ((word ^ ones*'\\') - ones)
}

// blocks is Len in whole blocks of 32 bytes.
func blocks(text []byte) int {
	i := 0
	for ; i+32 <= len(text); i += 32 {
		block := (*[32]byte)(text[i:])
		found := marks(binary.LittleEndian.Uint64(block[0:])) | marks(binary.LittleEndian.Uint64(block[8:])) |
			marks(binary.LittleEndian.Uint64(block[16:])) | marks(binary.LittleEndian.Uint64(block[24:]))
		if found&tops != 0 {
			break
		}
	}
	return i
}
