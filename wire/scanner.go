package wire

import (
	"strconv"

	"github.com/Snider/go-p2p/wire/internal/plainprefix"
)

// MaxDepth is the maximum nesting of arrays and objects in a message, in levels, including the envelope. It is 16
// below the limit of encoding/json, 10,000, so that a program can wrap an accepted message in another object (an
// event line, an API response) that readers can still parse.
const MaxDepth = 10_000 - 16

// maxPayloadDepth is MaxDepth without the envelope.
const maxPayloadDepth = MaxDepth - 1

// nesting is a stack of open brackets, one bit per level: 1 for an object, 0 for an array. The innermost level is the
// lowest bit. A word holds the innermost 64 levels; a slice holds the others, which ordinary messages never need.
type nesting struct {
	depth int
	bits  uint64
	outer []uint64
}

func (n *nesting) push(object bool) {
	if n.depth > 0 && n.depth%64 == 0 {
		n.outer = append(n.outer, n.bits)
	}
	n.depth++
	n.bits <<= 1
	if object {
		n.bits |= 1
	}
}

func (n *nesting) pop() {
	n.depth--
	n.bits >>= 1
	if n.depth > 0 && n.depth%64 == 0 {
		last := len(n.outer) - 1
		n.bits = n.outer[last]
		n.outer = n.outer[:last]
	}
}

func (n *nesting) inObject() bool { return n.bits&1 == 1 }

// skipValue checks the JSON value at data[i], with optional white space before it, and returns the index after it. It
// accepts the same values as encoding/json, nested at most maxDepth levels. It does not recurse: each level takes one
// bit and no stack.
func skipValue(data []byte, i, maxDepth int) (end int, err error) {
	var open nesting
	for {
		i = skipSpace(data, i)
		if i < len(data) && (data[i] == '{' || data[i] == '[') {
			if open.depth == maxDepth {
				return i, malformedAt("JSON nested too deeply", i)
			}
			object := data[i] == '{'
			open.push(object)
			i = skipSpace(data, i+1)
			if i >= len(data) || data[i] != closer(object) {
				if object {
					if i, err = skipKey(data, i); err != nil {
						return i, err
					}
				}
				continue
			}
			// Empty array or object: the loop below closes it.
		} else if i, err = skipScalar(data, i); err != nil {
			return i, err
		}

		for more := false; !more; {
			if open.depth == 0 {
				return i, nil
			}
			i = skipSpace(data, i)
			switch {
			case i < len(data) && data[i] == closer(open.inObject()):
				open.pop()
				i++
			case i < len(data) && data[i] == ',':
				more = true
				i++
				if open.inObject() {
					if i, err = skipKey(data, i); err != nil {
						return i, err
					}
				}
			default:
				return i, malformedAt("expected a comma or closing bracket", i)
			}
		}
	}
}

func closer(object bool) byte {
	if object {
		return '}'
	}
	return ']'
}

// skipKey checks a key and its colon.
func skipKey(data []byte, i int) (end int, err error) {
	i = skipSpace(data, i)
	if i, _, err = skipString(data, i); err != nil {
		return i, err
	}
	return skipColon(data, i)
}

func skipColon(data []byte, i int) (end int, err error) {
	i = skipSpace(data, i)
	if i >= len(data) || data[i] != ':' {
		return i, malformedAt("expected a colon after a key", i)
	}
	return i + 1, nil
}

// skipScalar checks a string, a number, true, false or null.
func skipScalar(data []byte, i int) (end int, err error) {
	if i >= len(data) {
		return i, malformedAt("unexpected end of JSON", i)
	}
	switch c := data[i]; {
	case c == '"':
		i, _, err = skipString(data, i)
		return i, err
	case c == '-' || isDigit(c):
		return skipNumber(data, i)
	}
	for _, word := range [...]string{"null", "true", "false"} {
		if len(data)-i >= len(word) && string(data[i:i+len(word)]) == word {
			return i + len(word), nil
		}
	}
	return i, malformedAt("expected a JSON value", i)
}

// skipString checks the string at data[i] and returns the index after it. plain reports that its inside is ASCII
// without escapes. Invalid UTF-8 passes, as in encoding/json; appendUnescaped replaces it.
func skipString(data []byte, i int) (end int, plain bool, err error) {
	if i >= len(data) || data[i] != '"' {
		return i, false, malformedAt("expected a string", i)
	}
	plain = true
	i++
	for {
		i += plainprefix.Len(data[i:])
		if i >= len(data) {
			return i, false, malformedAt("unterminated string", i)
		}
		switch c := data[i]; {
		case c == '"':
			return i + 1, plain, nil
		case c == '\\':
			n := escapeLen(data[i:])
			if n == 0 {
				return i, false, malformedAt("unknown escape in a string", i)
			}
			plain = false
			i += n
		case c < ' ':
			return i, false, malformedAt("control character in a string", i)
		default:
			plain = false
			for i < len(data) && data[i] >= 0x80 {
				i++
			}
		}
	}
}

// escapeLen returns the length of the JSON escape at the start of b, 2 or 6 bytes, or 0 if it is invalid.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && isHex(b[2]) && isHex(b[3]) && isHex(b[4]) && isHex(b[5]) {
			return 6
		}
	}
	return 0
}

// skipNumber checks a number: no leading zeros or plus sign, at least one digit on each side of a point and in an
// exponent.
func skipNumber(data []byte, i int) (end int, err error) {
	if i, err = skipWhole(data, i); err != nil {
		return i, err
	}
	if i < len(data) && data[i] == '.' {
		if i, err = skipDigits(data, i+1); err != nil {
			return i, err
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		return skipDigits(data, i)
	}
	return i, nil
}

// skipInteger checks a number without fraction and exponent that fits in a signed 64-bit integer.
func skipInteger(data []byte, i int) (end int, err error) {
	const longest = len("-9223372036854775808")
	end, err = skipWhole(data, i)
	switch length := end - i; {
	case err != nil || length < longest-1: // 19 characters or fewer always fit
	case length > longest:
		err = malformedAt("integer of more than 64 bits", i)
	default:
		_, err = strconv.ParseInt(string(data[i:end]), 10, 64)
	}
	return end, err
}

// skipWhole checks the integer part of a number with its sign.
func skipWhole(data []byte, i int) (end int, err error) {
	if i < len(data) && data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		return i + 1, nil
	}
	return skipDigits(data, i)
}

func skipDigits(data []byte, i int) (end int, err error) {
	start := i
	for i < len(data) && isDigit(data[i]) {
		i++
	}
	if i == start {
		return i, malformedAt("number without a digit", i)
	}
	return i, nil
}

func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t' || data[i] == '\n' || data[i] == '\r') {
		i++
	}
	return i
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
