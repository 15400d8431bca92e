// Package plainprefix measures the plain prefix of a text: the characters that a JSON string contains without escape,
// limited to ASCII. These are the bytes from 0x20 to 0x7f except quote and backslash, most of the text that a node
// reads and writes.
//
// It tests eight bytes at a time, 32 in long texts, and 64 on amd64 with AVX-512. The build tag purego excludes the
// assembly.
package plainprefix

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
	"unsafe"
)

const (
	ones = 0x0101010101010101 // times a byte: that byte in all eight bytes of a word
	tops = 0x8080808080808080 // top bit of each byte

	long = 40 // bytes before words tests blocks of 32; IDs are shorter
)

// Len returns the length of the plain prefix of text, in bytes. Safe for concurrent use.
func Len(text []byte) int {
	return length(unsafe.String(unsafe.SliceData(text), len(text))) // length does not retain the string
}

// LenString is Len for a string. If a text exists as both, prefer the original: a wide load of a fresh copy waits for
// the stores of the copy.
func LenString(text string) int { return length(text) }

// words implements Len without assembly.
func words(from string) int {
	i, text := 0, unsafe.Slice(unsafe.StringData(from), len(from)) // read only
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

// marks sets the top bit of each byte of word that is not plain. Borrows can also mark bytes above a marked byte, so
// only the lowest mark, and the absence of marks, is exact. Other bits of the result are undefined.
//
// XOR with 2 moves the quote next to the control characters, so that one subtraction finds both. Bytes beyond ASCII
// keep their top bit in one of the two terms.
func marks(word uint64) uint64 {
	return ((word ^ ones*2) - ones*('"'-1)) | ((word ^ ones*'\\') - ones)
}

// blocks returns the length of the leading blocks of 32 bytes that are plain.
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
