package jsonstring

import (
	"encoding/binary"
	"math/bits"
)

const (
	ones = 0x0101010101010101 // times a byte: that byte in all eight bytes of a word
	tops = 0x8080808080808080 // top bit of each byte

	block   = 32 // bytes that calmBlocks tests at once
	longRun = 5  // words without escape, more than in an ID, before calmBlocks is tried
)

// escapeWords implements Escape, eight bytes at a time.
func escapeWords(dst, text []byte) (read, written int) {
	for run := 0; len(text)-read >= 8 && len(dst)-written >= Room; read += 8 {
		word := binary.LittleEndian.Uint64(text[read:])
		quotes, backslashes, controls := special(word)
		if controls != 0 {
			break
		}
		out := dst[written : written+Room]
		binary.LittleEndian.PutUint64(out, word)
		length := 8
		for found := quotes | backslashes; found != 0; found &= found - 1 {
			at := bits.TrailingZeros64(found) / 8
			out[at+length-8] = '\\' // the store below moves the overwritten byte by one
			length++
			binary.LittleEndian.PutUint64(out[at+length-8:], word>>(8*at))
		}
		written += length
		if run++; length > 8 {
			run = 0
		} else if run == longRun {
			rest := text[read+8:]
			calm := calmBlocks(rest[:min(len(rest), len(dst)-written)])
			copy(dst[written:], rest[:calm])
			read, written, run = read+calm, written+calm, 0
		}
	}
	for ; read < len(text) && text[read] >= ' ' && len(dst)-written >= Room; read++ {
		if c := text[read]; c == '"' || c == '\\' {
			dst[written] = '\\'
			written++
		}
		dst[written] = text[read]
		written++
	}
	return read, written
}

// unescapeWords implements Unescape, eight bytes at a time.
func unescapeWords(text []byte, to, at int) (newTo, newAt int) {
	for run := 0; len(text)-at >= 8; {
		word := binary.LittleEndian.Uint64(text[at:])
		quotes, backslashes, controls := special(word)
		left := 0
		if backslashes>>63 != 0 { // its quote is in the next word, which processes both
			if to == at {
				break // the store would overwrite it
			}
			left, backslashes = 1, backslashes&^(1<<63)
		}
		if backslashes<<8 != quotes || controls != 0 {
			break // another escape, or the end of the string
		}
		word, length := without(word, backslashes)
		binary.LittleEndian.PutUint64(text[to:], word)
		at, to = at+8, to+length
		if left != 0 {
			at, to, run = at-left, to-left, 0
		}
		if run++; length < 8 {
			run = 0
		} else if run == longRun {
			calm := calmBlocks(text[at:])
			copy(text[to:], text[at:at+calm])
			at, to, run = at+calm, to+calm, 0
		}
	}
	for at < len(text) && text[at] >= ' ' && text[at] != '"' {
		if text[at] == '\\' {
			if at+1 == len(text) || text[at+1] != '"' {
				break
			}
			at++
		}
		text[to] = text[at]
		at, to = at+1, to+1
	}
	return to, at
}

// without removes the marked bytes from a word. length is the number of remaining bytes.
func without(word, marked uint64) (rest uint64, length int) {
	length = 8
	for ; marked != 0; marked &= marked - 1 {
		before := uint64(1)<<(8*(bits.TrailingZeros64(marked)/8+length-8)) - 1
		word = word&before | word>>8&^before
		length--
	}
	return word, length
}

// marks sets the top bit of each byte of word that is a quote, a backslash or a control character. Borrows can also
// mark bytes above a marked byte, so only the absence of marks is exact. Other bits of the result are undefined.
//
// XOR with 2 moves the quote next to the control characters, so that one subtraction finds both.
func marks(word uint64) uint64 {
	return (((word ^ ones*2) - ones*('"'-1)) | ((word ^ ones*'\\') - ones)) &^ word
}

// calmBlocks returns the length of the leading blocks of text, of 32 bytes each, without marks.
func calmBlocks(text []byte) int {
	n := 0
	for ; len(text)-n >= block; n += block {
		b := (*[block]byte)(text[n:])
		found := marks(binary.LittleEndian.Uint64(b[0:])) | marks(binary.LittleEndian.Uint64(b[8:])) |
			marks(binary.LittleEndian.Uint64(b[16:])) | marks(binary.LittleEndian.Uint64(b[24:]))
		if found&tops != 0 {
			break
		}
	}
	return n
}

// special sets the top bit of each quote and of each backslash of word. controls is not 0 if word has a control
// character.
func special(word uint64) (quotes, backslashes, controls uint64) {
	return zeros(word ^ '"'*ones), zeros(word ^ '\\'*ones), (word - ' '*ones) &^ word & tops
}

// zeros sets the top bit of each zero byte of word, and no other bit.
func zeros(word uint64) uint64 {
	const lows = ^uint64(tops)
	return ^(word&lows + lows | word | lows)
}
