package crypto

import "unicode/utf8"

// Plaintext is what was encrypted in a frame (protocol section 4): a JSON object
// with the message's text as a string, or whatever else the peer has sealed.
type Plaintext []byte

// Escaped returns the plaintext from the inside of the body on, still escaped, when
// the body is the first key and nothing is written otherwise than everybody does;
// nil when not. Who can read the beginning of the body in that form spares Body
// the unescaping of it. It is not known yet where the body ends, or that it does.
func (p Plaintext) Escaped() []byte {
	if len(p) < len(plaintextHead) || string(p[:len(plaintextHead)]) != plaintextHead {
		return nil
	}
	return p[len(plaintextHead):]
}

// Body checks the plaintext and returns the body in it, unescaped where it lies and
// without its beginning: the first skip bytes of Escaped, which have to be
// printable ASCII and to end between two escapes. skipped is skip, or 0 when the
// body returned is whole: one of a second key of the same name, which is the one that counts.
//
// bind is the text of meta.bind (see Bind) inside the plaintext, nil when there
// is none, and an empty text when it is no string or there are two.
//
// Key order, white space and further keys are free; the body must be a string that
// is not empty, the timestamp, which nobody reads, an integer of 64 bits if it is
// there (the reference library leaves out a zero). The only error is ErrPlaintext.
func (p Plaintext) Body(skip int) (body []byte, skipped int, bind []byte, err error) {
	s, known := scanner{text: p}, 0
	if skip > 0 {
		known = len(plaintextHead) + skip
	}
	whole := utf8.Valid(p[known:])
	member := func(key []byte) (ok bool) {
		switch string(key) {
		case "body":
			body, ok = s.str()
			skipped = 0
			return ok
		case "timestamp":
			return s.integer()
		case "meta":
			var found []byte
			if found, ok = s.meta(); bind == nil {
				bind = found
			} else if found != nil {
				bind = notBind
			}
			return ok
		}
		return s.skip()
	}
	switch {
	case !whole:
	case p.Escaped() == nil:
		whole = s.object(member) && s.end()
	default:
		s.at = len(plaintextHead) - len(`"`)
		body, whole = s.rest(skip)
		skipped = skip
		if usual, mark := s.usualEnd(); usual {
			bind = mark
		} else {
			whole = whole && s.restOfObject(member) && s.end()
		}
	}
	if !whole || len(body)+skipped == 0 {
		clear(p) // what was wrong with it is nobody's business
		return nil, 0, nil, ErrPlaintext
	}
	return body, skipped, bind, nil
}
