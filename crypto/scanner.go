package crypto

// maxNesting is how deep objects and arrays may lie inside each other in a
// header or plaintext, the outermost included. Honest ones need three levels.
const maxNesting = 64

// scanner walks once over a JSON text that is valid UTF-8. It is strict (RFC
// 8259), allocates nothing, and unescapes the strings it passes in place. Each
// method passes one thing and reports whether it was there; after a false the
// scanner is of no further use.
type scanner struct {
	text  []byte
	at    int // of the next byte to look at
	depth int // objects and arrays that are open
}

// space passes white space.
func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// end passes white space up to the end of the text.
func (s *scanner) end() bool {
	s.space()
	return s.at == len(s.text)
}

// peek returns the next byte after white space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// take passes c, which is not 0, if it comes next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// object passes an object; member must pass the value of each key.
func (s *scanner) object(member func(key []byte) bool) bool {
	return s.list('{', '}', func() bool { return s.member(member) })
}

// restOfObject passes what follows the first member of the outermost object.
func (s *scanner) restOfObject(member func(key []byte) bool) bool {
	s.depth = 1
	return s.restOfList('}', false, func() bool { return s.member(member) })
}

func (s *scanner) member(value func(key []byte) bool) bool {
	key, ok := s.str()
	return ok && s.take(':') && value(key)
}

// list passes elements between opening and closing, with commas between them.
func (s *scanner) list(opening, closing byte, element func() bool) bool {
	if !s.take(opening) || s.depth == maxNesting {
		return false
	}
	s.depth++
	return s.restOfList(closing, true, element)
}

// restOfList passes the elements from the first one on, or from behind one.
func (s *scanner) restOfList(closing byte, first bool, element func() bool) bool {
	for ; !s.take(closing); first = false {
		if !first && !s.take(',') || !element() {
			return false
		}
	}
	s.depth--
	return true
}

// usualEnd reports whether the rest of the text is the end that nodes write
// behind the body: the timestamp, and the bind of a bound frame, which it
// returns. It passes nothing.
func (s *scanner) usualEnd() (usual bool, bind []byte) {
	const before, most = len(plaintextMid) - len(`"`), 18 // digits: no such number is too large
	end, tail := s.text[s.at:], plaintextTail
	if marked := len(end) - len(bindHead) - len(Bind{}) - len(bindTail); marked > 0 &&
		string(end[len(end)-len(bindTail):]) == bindTail && string(end[marked:marked+len(bindHead)]) == bindHead {
		bind = end[marked+len(bindHead) : len(end)-len(bindTail)]
		for _, c := range bind {
			if c < ' ' || c == '"' || c == '\\' {
				return false, nil // only the scanner can tell what this is
			}
		}
		end, tail = end[:marked], ""
	}
	digits := len(end) - before - len(tail)
	if digits < 1 || digits > most || string(end[:before]) != plaintextMid[len(`"`):] || end[before] == '0' {
		return false, nil
	}
	for _, c := range end[before : before+digits] {
		if c < '0' || c > '9' {
			return false, nil
		}
	}
	return string(end[before+digits:]) == tail, bind
}

// meta passes the value of the key meta and returns the text of bind in it: nil
// when meta is no object or holds none, notBind when it is no string or there
// are two.
func (s *scanner) meta() (bind []byte, ok bool) {
	if s.peek() != '{' {
		return nil, s.skip()
	}
	ok = s.object(func(key []byte) bool {
		if string(key) != "bind" {
			return s.skip()
		}
		first := bind == nil
		bind = notBind
		if s.peek() != '"' {
			return s.skip()
		}
		text, ok := s.str()
		if first && len(text) == len(Bind{}) {
			bind = text
		}
		return ok
	})
	return bind, ok
}

// skip passes any value.
func (s *scanner) skip() bool {
	switch s.peek() {
	case '{':
		return s.object(func([]byte) bool { return s.skip() })
	case '[':
		return s.list('[', ']', s.skip)
	case '"':
		_, ok := s.str()
		return ok
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *scanner) word(word string) bool {
	end := s.at + len(word)
	if end > len(s.text) || string(s.text[s.at:end]) != word {
		return false
	}
	s.at = end
	return true
}

// digits passes digits and returns how many there were.
func (s *scanner) digits() int {
	start := s.at
	for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at - start
}

// oneOf passes a byte that is one of the two.
func (s *scanner) oneOf(a, b byte) bool {
	if s.at == len(s.text) || s.text[s.at] != a && s.text[s.at] != b {
		return false
	}
	s.at++
	return true
}

// whole passes an integer without superfluous zeroes in front.
func (s *scanner) whole() bool {
	s.space()
	s.oneOf('-', '-')
	if s.oneOf('0', '0') {
		return true
	}
	return s.digits() > 0
}

// number passes any number.
func (s *scanner) number() bool {
	if !s.whole() {
		return false
	}
	if s.oneOf('.', '.') && s.digits() == 0 {
		return false
	}
	if s.oneOf('e', 'E') {
		s.oneOf('+', '-')
		return s.digits() > 0
	}
	return true
}

// integer passes a number without fraction and exponent that fits in 64 bits.
func (s *scanner) integer() bool {
	s.space()
	start := s.at
	if !s.whole() {
		return false
	}
	digits, limit := s.text[start:s.at], "9223372036854775807"
	if digits[0] == '-' {
		digits, limit = digits[1:], "9223372036854775808"
	}
	return len(digits) < len(limit) || len(digits) == len(limit) && string(digits) <= limit
}
