package jsonstring

import (
	"encoding/binary"
	"math/bits"
)

const (
	ones = 0x0101010101010101 // times a byte: that byte in each of eight
	tops = 0x8080808080808080

	block   = 32 // bytes that are tested at once,
	longRun = 5  // words that stand for themselves, more than an ID has, after which it is tried
)

// escapeWords is Escape, eight bytes at a time.
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
			out[at+length-8] = '\\' // over what has to move on by one
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

// unescapeWords is Unescape, eight bytes at a time.
func unescapeWords(text []byte, to, at int) (newTo, newAt int) {
	for run := 0; len(text)-at >= 8; {
		word := binary.LittleEndian.Uint64(text[at:])
		quotes, backslashes, controls := special(word)
		left := 0
		if backslashes>>63 != 0 { // its quote is in the next word: both are left for that
			if to == at {
				break // the store would go over it
			}
			left, backslashes = 1, backslashes&^(1<<63)
		}
		if backslashes<<8 != quotes || controls != 0 {
			break // other escapes, or the end
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

// without takes the bytes with a mark out of a word and returns how many are left.
func without(word, marked uint64) (rest uint64, length int) {
	length = 8
	for ; marked != 0; marked &= marked - 1 {
		before := uint64(1)<<(8*(bits.TrailingZeros64(marked)/8+length-8)) - 1
		word = word&before | word>>8&^before
		length--
	}
	return word, length
}

// marks is a quick look at 8 bytes: the top bit is set in each byte that is a quote,
// a backslash or a control character, and perhaps, by a borrow, in others above one of
// those, but in none when there is no such byte. The other bits mean nothing.
//
// XORed with 2 the quote comes to lie next to the control characters, and all
// printable others stay beyond: so one subtraction finds both.
func marks(word uint64) uint64 {
	return (((word ^ ones*2) - ones*('"'-1)) | ((word ^ ones*'\\') - ones)) &^ word
}

// calmBlocks returns how many bytes at the start of text, in whole blocks, have no mark.
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

// special looks closely at 8 bytes: the top bits say which of them are quotes and
// which are backslashes. With a control character among them controls is not 0.
func special(word uint64) (quotes, backslashes, controls uint64) {
	return zeros(word ^ '"'*ones), zeros(word ^ '\\'*ones), (word - ' '*ones) &^ word & tops
}

// zeros sets the top bit of each byte that is zero, and no other bit.
func zeros(word uint64) uint64 {
	const lows = ^uint64(tops)
	return ^(word&lows + lows | word | lows)
}
