package crypto

import (
	"slices"
	"unicode/utf8"

	"github.com/Snider/go-p2p/crypto/internal/quotes"
)

const hexDigits = "0123456789abcdef"

// controls are the letters of those that have a short escape.
var controls = [' ']byte{'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

// EscapeBody appends body to dst as the inside of a JSON string, without the
// quotes, such that any JSON decoder gives body back. A broadcast does it once
// for all its peers. Bytes that are not UTF-8 become U+FFFD, one for each, as
// deployed nodes do it. body must not lie in the free part of dst. Safe for
// concurrent use.
func EscapeBody(dst, body []byte) []byte {
	if !utf8.Valid(body) {
		body = []byte(string([]rune(string(body))))
	}
	for len(body) > 0 {
		dst = slices.Grow(dst, len(body)+len(body)/8+quotes.Room)
		read, written := quotes.Escape(dst[len(dst):cap(dst)], body)
		dst, body = dst[:len(dst)+written], body[read:]
		if len(body) > 0 && body[0] < ' ' {
			dst, body = appendControl(dst, body[0]), body[1:]
		}
	}
	return dst
}

// appendControl appends the escape of a control character.
func appendControl(dst []byte, c byte) []byte {
	if letter := controls[c]; letter != 0 {
		return append(dst, '\\', letter)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
