package crypto

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// escapes says what follows the backslash for each byte that cannot stand for
// itself in a JSON string: a letter, or 'u' for \u00XX; 0: it stands for itself.
var escapes = func() (table [256]byte) {
	for c := range byte(0x20) {
		table[c] = 'u'
	}
	for c, letter := range map[byte]byte{
		'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '"': '"', '\\': '\\',
	} {
		table[c] = letter
	}
	return table
}()

// EscapeBody appends body to dst as the inside of a JSON string, without the
// quotes, such that any JSON decoder gives body back. A broadcast does it once
// for all its peers. Bytes that are not UTF-8 become U+FFFD, one for each, as
// deployed nodes do it. body must not lie in the free part of dst. Safe for
// concurrent use.
func EscapeBody(dst, body []byte) []byte {
	if !utf8.Valid(body) {
		body = []byte(string([]rune(string(body))))
	}
	// Room for 8 bytes, a backslash for each, and what the last store leaves behind them.
	const room = 8 + 8 + 8
	dst = slices.Grow(dst, len(body)+len(body)/8+room)
	for run := 0; len(body) >= 8; body = body[8:] {
		word := binary.LittleEndian.Uint64(body)
		quotes, backslashes, controls := special(word)
		if controls != 0 {
			dst = escapeBytes(dst, body[:8])
			continue
		}
		dst = slices.Grow(dst, room)
		out := dst[len(dst) : len(dst)+room]
		binary.LittleEndian.PutUint64(out, word)
		length := 8
		for found := quotes | backslashes; found != 0; found &= found - 1 {
			at := bits.TrailingZeros64(found) / 8
			out[at+length-8] = '\\' // over what has to move on by one
			length++
			binary.LittleEndian.PutUint64(out[at+length-8:], word>>(8*at))
		}
		dst = dst[:len(dst)+length]
		if run++; length > 8 {
			run = 0
		} else if run == longRun {
			calm := calmBlocks(body[8:])
			dst, body, run = append(dst, body[8:8+calm]...), body[calm:], 0
		}
	}
	return escapeBytes(dst, body)
}

// escapeBytes appends text byte for byte.
func escapeBytes(dst, text []byte) []byte {
	for _, c := range text {
		switch letter := escapes[c]; letter {
		case 0:
			dst = append(dst, c)
		case 'u':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, '\\', letter)
		}
	}
	return dst
}
