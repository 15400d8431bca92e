package wire

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrMalformed is wrapped by every error that bytes from a peer cause: text
// that is no JSON, an envelope that breaks a rule of protocol section 2, a
// payload of another shape than its type's. Test with errors.Is.
//
// The text around it is safe to log: it repeats at most 64 bytes of the peer's
// input, and those quoted.
var ErrMalformed = errors.New("malformed message")

// maxQuoted is how many bytes of a peer's input an error or a reason repeats.
const maxQuoted = 64

// quoted returns the first 64 bytes of a peer's input, quoted, in ASCII.
func quoted[T string | []byte](input T) string {
	if len(input) > maxQuoted {
		return strconv.QuoteToASCII(string(input[:maxQuoted])) + "..."
	}
	return strconv.QuoteToASCII(string(input))
}

// malformed says what is wrong with a message.
func malformed(what string) error {
	return fmt.Errorf("%w: %s", ErrMalformed, what)
}

// malformedAt says what is wrong with a JSON text, and where.
func malformedAt(what string, offset int) error {
	return &syntaxError{what, offset}
}

// syntaxError is an ErrMalformed that knows where.
type syntaxError struct {
	what   string
	offset int // bytes
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("%v: %s at byte %d", ErrMalformed, e.what, e.offset)
}

func (e *syntaxError) Unwrap() error { return ErrMalformed }
