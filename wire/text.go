package wire

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/Snider/go-p2p/wire/internal/verbatim"
)

// appendQuoted appends s as a JSON string, byte for byte as encoding/json
// writes it with SetEscapeHTML(false).
func appendQuoted(dst []byte, s string) []byte {
	n := verbatim.LenString(s)
	dst = append(dst, '"')
	dst = append(dst, s[:n]...)
	if n < len(s) {
		dst = appendEscaped(dst, s[n:])
	}
	return append(dst, '"')
}

// appendEscaped appends the text of s with the escapes of encoding/json: the
// short ones where JSON has them, U+2028 and U+2029 because they end lines in
// JavaScript, and \ufffd for each byte that is not UTF-8.
func appendEscaped(dst []byte, s string) []byte {
	start := 0 // s[start:i] stands for itself
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = appendEscape(append(dst, s[start:i]...), c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			start = i + size
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[start:i]...), `\u202`...)
			dst = append(dst, hexDigits[r&0xf])
			start = i + size
		}
		i += size
	}
	return append(dst, s[start:]...)
}

const hexDigits = "0123456789abcdef"

// appendEscape appends the escape of a quote, a backslash or a control character.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '\b':
		c = 'b'
	case '\f':
		c = 'f'
	case '\n':
		c = 'n'
	case '\r':
		c = 'r'
	case '\t':
		c = 't'
	case '"', '\\':
	default:
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
	}
	return append(dst, '\\', c)
}

// appendUnescaped appends the text that raw stands for. Raw is the inside of a
// JSON string that skipString has passed, so its escapes are well formed. As in
// encoding/json each byte that is not UTF-8 and each lone surrogate becomes
// U+FFFD: at most three bytes for one of raw.
func appendUnescaped(dst, raw []byte) []byte {
	for len(raw) > 0 {
		if n := verbatim.Len(raw); n > 0 {
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
