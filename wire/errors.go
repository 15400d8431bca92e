package wire

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrMalformed is wrapped by every error that bytes from a peer cause, except [ErrRecord]: invalid JSON, an envelope
// that violates protocol section 2, a payload that does not fit its type. Test with errors.Is.
//
// The error text is safe to log: it contains at most 64 bytes of the peer's input, quoted in ASCII.
var ErrMalformed = errors.New("malformed message")

// maxQuoted is the number of bytes of a peer's input that an error or a reason can contain.
const maxQuoted = 64

// quoted returns the first 64 bytes of a peer's input, quoted in ASCII.
func quoted[T string | []byte](input T) string {
	if len(input) > maxQuoted {
		return strconv.QuoteToASCII(string(input[:maxQuoted])) + "..."
	}
	return strconv.QuoteToASCII(string(input))
}

// malformed returns an ErrMalformed with a description of the fault.
func malformed(fault string) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fault)
}

// malformedAt returns an ErrMalformed with a description of the fault and its offset in bytes.
func malformedAt(fault string, offset int) error {
	return &syntaxError{fault, offset}
}

// syntaxError is an ErrMalformed with a position. It formats its text on demand.
type syntaxError struct {
	fault  string
	offset int // bytes
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("%v: %s at byte %d", ErrMalformed, e.fault, e.offset)
}

func (e *syntaxError) Unwrap() error { return ErrMalformed }
