package crypto

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/Snider/go-p2p/crypto/internal/quotes"
)

// str passes a string and returns its value, which lies where the string was.
func (s *scanner) str() ([]byte, bool) { return s.rest(0) }

// rest is str without what the first skip bytes inside the string stand for, which
// have been looked at before.
func (s *scanner) rest(skip int) ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	s.at += skip
	start := s.at
	to := start // text[start:to] is the value so far; to never passes s.at
	for {
		to, s.at = quotes.Unescape(s.text, to, s.at)
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
