package wire

import (
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/Snider/go-p2p/wire/internal/jsonstring"
	"github.com/Snider/go-p2p/wire/internal/plainprefix"
)

// appendQuoted appends s as a JSON string: the same bytes as encoding/json with SetEscapeHTML(false).
func appendQuoted(dst []byte, s string) []byte {
	n := plainprefix.LenString(s)
	dst = append(dst, '"')
	dst = append(dst, s[:n]...)
	if n < len(s) {
		dst = appendEscaped(dst, s[n:])
	}
	return append(dst, '"')
}

// appendEscaped appends s with the escapes of encoding/json: short escapes where JSON defines them, escapes for
// U+2028 and U+2029, which end lines in JavaScript, and \ufffd for each invalid byte of UTF-8.
func appendEscaped(dst []byte, s string) []byte {
	start := 0 // s[start:i] needs no escape
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

// appendBody appends body to dst, escaped as the inside of a JSON string, without the enclosing quotes. Each invalid
// byte of UTF-8 becomes U+FFFD, as in deployed nodes. body must not overlap the spare capacity of dst.
func appendBody(dst, body []byte) []byte {
	if !utf8.Valid(body) {
		body = appendUTF8(nil, body)
	}
	for len(body) > 0 {
		dst = slices.Grow(dst, len(body)+len(body)/8+jsonstring.Room)
		read, written := jsonstring.Escape(dst[len(dst):cap(dst)], body)
		dst, body = dst[:len(dst)+written], body[read:]
		if len(body) > 0 && body[0] < ' ' {
			dst, body = appendEscape(dst, body[0]), body[1:]
		}
	}
	return dst
}

// appendUTF8 appends text, with U+FFFD for each invalid byte of UTF-8.
func appendUTF8(dst, text []byte) []byte {
	if utf8.Valid(text) {
		return append(dst, text...)
	}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		dst, text = utf8.AppendRune(dst, r), text[size:]
	}
	return dst
}

// appendUnescaped appends the decoded text of raw, the inside of a JSON string that skipString has accepted. As in
// encoding/json, each invalid byte of UTF-8 and each lone surrogate becomes U+FFFD: at most three bytes per byte of
// raw.
func appendUnescaped(dst, raw []byte) []byte {
	start := len(dst)
	dst = appendUTF8(dst, raw)
	end, _, _ := unescape(dst, start)
	return dst[:end]
}

// unescapeString decodes the string at data[i] in place. It returns the decoded text, a slice of data, and the index
// after the string.
func unescapeString(data []byte, i int) (value []byte, end int, err error) {
	if i >= len(data) || data[i] != '"' {
		return nil, i, malformedAt("expected a string", i)
	}
	start := i + 1
	to, end, err := unescape(data, start)
	if err == nil && end == len(data) {
		err = malformedAt("unterminated string", end)
	}
	return data[start:to], end + 1, err
}

// unescape decodes the escapes of a JSON string in place, from data[i] up to the closing quote at data[end], or up to
// the end of data. The decoded text is data[i:to]; it is never longer than the escaped text. data must be UTF-8.
func unescape(data []byte, i int) (to, end int, err error) {
	to = i
	for {
		to, i = jsonstring.Unescape(data, to, i)
		if i == len(data) || data[i] == '"' {
			return to, i, nil
		}
		if data[i] != '\\' {
			return to, i, malformedAt("control character in a string", i)
		}
		if escapeLen(data[i:]) == 0 {
			return to, i, malformedAt("unknown escape in a string", i)
		}
		r, length := escapedRune(data[i:])
		to += utf8.EncodeRune(data[to:], r)
		i += length
	}
}

// escapedRune decodes the escape, or surrogate pair of escapes, at the start of raw and returns its length in bytes:
// 2, 6 or 12. escapeLen must have accepted the first escape.
func escapedRune(raw []byte) (rune, int) {
	switch c := raw[1]; c {
	case 'u':
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	default:
		return rune(c), 2
	}
	r := hexRune(raw[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if second := raw[6:]; len(second) > 1 && second[0] == '\\' && escapeLen(second) == 6 {
		if pair := utf16.DecodeRune(r, hexRune(second[2:6])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// hexRune decodes hex digits, which escapeLen must have accepted.
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
