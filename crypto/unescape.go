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
	text, at := s.text, s.at // in registers: most of the time of opening a frame outside of its cipher is spent here
	start, to := at, at      // text[start:to] is the value so far; to never passes at
	for {
		if n := plain8(text, at, to); n > 0 {
			at, to = at+n, to+n
			if n == 8 {
				continue
			}
		}
		if at == len(text) {
			return nil, false
		}
		c := text[at]
		at++
		switch {
		case c == '"':
			s.at = at
			return text[start:to], true
		case c < 0x20:
			return nil, false
		case c == '\\':
			if at == len(text) {
				return nil, false
			}
			c = text[at]
			at++
			if c == 'u' {
				s.at = at
				r, ok := s.codePoint()
				if !ok {
					return nil, false
				}
				at = s.at
				to += utf8.EncodeRune(text[to:], r) // at most the 6 or 12 bytes it was written with
				continue
			}
			if c = unescapes[c]; c == 0 {
				return nil, false
			}
		}
		text[to] = c
		to++
	}
}

// unescapes says what a byte after a backslash stands for; 0: nothing.
var unescapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// plain8 moves the bytes at index at that stand for themselves, 8 of them at most,
// down to index to, and returns how many they were. It leaves alone what comes
// after them, and does nothing for the last 7 bytes of the text.
func plain8(text []byte, at, to int) int {
	if len(text)-at < 8 {
		return 0
	}
	word := binary.LittleEndian.Uint64(text[at:])
	n := bits.TrailingZeros64(special(word)) / 8 // 8 when there is none
	if at-to < 8 {                               // the 8 bytes at to are not all done with
		keep := ^uint64(0) << (8 * n)
		word = word&^keep | binary.LittleEndian.Uint64(text[to:])&keep
	}
	binary.LittleEndian.PutUint64(text[to:], word)
	return n
}

// special looks at 8 bytes at once. The lowest bit set in the result is the top
// bit of the first byte that is a quote, a backslash or a control character;
// bits above it mean nothing, because a borrow runs upwards.
func special(word uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote := word ^ '"'*ones
	backslash := word ^ '\\'*ones
	return ((quote-ones)&^quote | (backslash-ones)&^backslash | (word-0x20*ones)&^word) & tops
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
