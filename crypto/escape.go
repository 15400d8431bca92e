package crypto

import (
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
	clean := 0 // body[clean:i] stands for itself
	for i, c := range body {
		letter := escapes[c]
		if letter == 0 {
			continue
		}
		dst = append(dst, body[clean:i]...)
		dst = append(dst, '\\', letter)
		if letter == 'u' {
			dst = append(dst, '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		clean = i + 1
	}
	return append(dst, body[clean:]...)
}
