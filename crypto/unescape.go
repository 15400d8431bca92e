package crypto

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// str passes a string and returns its value, which lies where the string was.
func (s *scanner) str() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	start := s.at
	to := start // text[start:to] is the value so far; to never passes s.at
	for {
		to = s.plain(to)
		if s.at == len(s.text) {
			return nil, false
		}
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			return s.text[start:to], true
		case c != '\\': // a control character
			return nil, false
		case s.at == len(s.text):
			return nil, false
		}
		c = s.text[s.at]
		s.at++
		if c == 'u' {
			r, ok := s.codePoint()
			if !ok {
				return nil, false
			}
			to += utf8.EncodeRune(s.text[to:], r) // at most the 6 or 12 bytes it was written with
			continue
		}
		if c = unescapes[c]; c == 0 {
			return nil, false
		}
		s.text[to] = c
		to++
	}
}

// unescapes says what a byte after a backslash stands for; 0: nothing.
var unescapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// plain moves bytes that stand for themselves, and quotes out of their \", down to
// index to, up to anything else, and returns the index after what it moved.
func (s *scanner) plain(to int) int {
	text, at := s.text, s.at
	for ; len(text)-at >= 8; at += 8 {
		word := binary.LittleEndian.Uint64(text[at:])
		quotes, backslashes, controls := special(word)
		if backslashes<<8 != quotes || backslashes>>63|controls != 0 {
			break // other escapes, one that reaches into the next word, or the end
		}
		length := 8
		for ; backslashes != 0; backslashes &= backslashes - 1 {
			before := uint64(1)<<(8*(bits.TrailingZeros64(backslashes)/8+length-8)) - 1
			word = word&before | word>>8&^before
			length--
		}
		binary.LittleEndian.PutUint64(text[to:], word) // not past the bytes that were read
		to += length
	}
	for at < len(text) && text[at] >= 0x20 && text[at] != '"' && text[at] != '\\' {
		text[to] = text[at]
		at, to = at+1, to+1
	}
	s.at = at
	return to
}

// special looks at 8 bytes at once: the top bit of each byte in the results says
// whether that byte is a quote, a backslash or a control character.
func special(word uint64) (quotes, backslashes, controls uint64) {
	const ones = 0x0101010101010101
	return zeros(word ^ '"'*ones), zeros(word ^ '\\'*ones), zeros(word & (0xe0 * ones))
}

// zeros sets the top bit of each byte that is zero, and no other bit.
func zeros(word uint64) uint64 {
	const lows = 0x7f7f7f7f7f7f7f7f
	return ^(word&lows + lows | word | lows)
}

// codePoint passes the four digits after \u and, where they begin a surrogate
// pair, the other half. A half alone is U+FFFD, as in encoding/json.
func (s *scanner) codePoint() (rune, bool) {
	r, ok := hex4(s.text[s.at:])
	if !ok {
		return 0, false
	}
	s.at += 4
	if !utf16.IsSurrogate(r) {
		return r, true
	}
	if rest := s.text[s.at:]; len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
		if low, ok := hex4(rest[2:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				s.at += 6
				return pair, true
			}
		}
	}
	return utf8.RuneError, true
}

// hex4 reads four hex digits.
func hex4(text []byte) (r rune, ok bool) {
	if len(text) < 4 {
		return 0, false
	}
	for _, c := range text[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
