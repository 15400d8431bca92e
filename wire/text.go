package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// plainLen returns how many bytes at the start of b stand for themselves in a
// JSON string: ASCII from the space on, except quote and backslash.
//
// It tests eight bytes at a time, because most of what a node reads and writes
// is plain. Each term sets the top bit of a byte that is not plain: below the
// space, a quote, a backslash, not ASCII. A borrow can reach only bytes above
// one that is already marked, so the lowest mark is always right.
func plainLen(b []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		marks := (x - ones*' ') | ((x ^ ones*'"') - ones) | ((x ^ ones*'\\') - ones) | x
		if marks &= tops; marks != 0 {
			return i + bits.TrailingZeros64(marks)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// appendQuoted appends s as a JSON string, byte for byte as encoding/json
// writes it with SetEscapeHTML(false).
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := len(dst)
	dst = append(dst, s...)
	if n := plainLen(dst[start:]); n < len(s) {
		dst = appendEscaped(dst[:start+n], s[n:])
	}
	return append(dst, '"')
}

// appendEscaped appends the text of s with the escapes of encoding/json: the
// short ones where JSON has them, U+2028 and U+2029 because they end lines in
// JavaScript, and \ufffd for each byte that is not UTF-8.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				dst = append(dst, `\ufffd`...)
			case r == '\u2028' || r == '\u2029':
				dst = append(dst, `\u202`...)
				dst = append(dst, hex[r&0xf])
			default:
				dst = append(dst, s[i:i+size]...)
			}
			i += size
			continue
		}
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c == '\b':
			dst = append(dst, `\b`...)
		case c == '\f':
			dst = append(dst, `\f`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
		i++
	}
	return dst
}

// appendUnescaped appends the text that raw stands for. Raw is the inside of a
// JSON string that skipString has passed, so its escapes are well formed. As in
// encoding/json each byte that is not UTF-8 and each lone surrogate becomes
// U+FFFD: at most three bytes for one of raw.
func appendUnescaped(dst, raw []byte) []byte {
	for len(raw) > 0 {
		if n := plainLen(raw); n > 0 {
			dst = append(dst, raw[:n]...)
			raw = raw[n:]
			continue
		}
		if raw[0] != '\\' {
			r, size := utf8.DecodeRune(raw)
			dst = utf8.AppendRune(dst, r)
			raw = raw[size:]
			continue
		}
		c := raw[1]
		if c == 'u' {
			r, size := escapedRune(raw)
			dst = utf8.AppendRune(dst, r)
			raw = raw[size:]
			continue
		}
		dst = append(dst, unescaped(c))
		raw = raw[2:]
	}
	return dst
}

// unescaped returns the byte that a backslash and c stand for; c is one of the
// letters that JSON allows there, except u.
func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// escapedRune decodes the \uXXXX at the start of raw, or the two of a surrogate
// pair, and returns how many bytes they take: 6 or 12.
func escapedRune(raw []byte) (rune, int) {
	r := hexRune(raw[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(raw) >= 12 && raw[6] == '\\' && raw[7] == 'u' {
		if pair := utf16.DecodeRune(r, hexRune(raw[8:12])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// hexRune reads hex digits that have already been checked.
func hexRune(digits []byte) rune {
	var r rune
	for _, d := range digits {
		switch {
		case d <= '9':
			d -= '0'
		default:
			d = d | 0x20 - 'a' + 10
		}
		r = r<<4 | rune(d)
	}
	return r
}
