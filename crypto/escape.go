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
	dst = slices.Grow(dst, len(body)+len(body)/8)
	for len(body) >= 8 {
		dst = slices.Grow(dst, 8+maxEscape)
		word, end := binary.LittleEndian.Uint64(body), len(dst)
		binary.LittleEndian.PutUint64(dst[end:end+8], word)
		plain := bits.TrailingZeros64(special(word)) / 8 // 8 when all are
		dst = dst[:end+plain]
		if plain == 8 {
			body = body[8:]
			continue
		}
		dst = appendEscape(dst, body[plain])
		body = body[plain+1:]
	}
	for _, c := range body {
		if escapes[c] == 0 {
			dst = append(dst, c)
		} else {
			dst = appendEscape(dst, c)
		}
	}
	return dst
}

const maxEscape = len(`\u0000`)

// appendEscape appends what stands for c, which cannot stand for itself.
func appendEscape(dst []byte, c byte) []byte {
	letter := escapes[c]
	dst = append(dst, '\\', letter)
	if letter == 'u' {
		dst = append(dst, '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}
