package wire

import (
	"errors"

	"github.com/Snider/go-p2p/wire/internal/verbatim"
)

// Decoder is [Decode] for an envelope that lies escaped in a JSON string
// (protocol section 4, body), and whose beginning need not be unescaped first:
// that saves a pass over it, the part with the most escapes. The zero value is
// ready. For one message; not safe for concurrent use.
type Decoder struct {
	// What from and to probably are: then these strings are the message's, and
	// not copies of what came. Optional.
	From, To string

	envelope envelope
	before   int // bytes that Begin has taken, as they were before the escaping; 0: none
}

// usualHead is what stands before each value and after the last one of the
// members that everybody writes first, escaped.
var usualHead = [...]string{
	fieldID:        `{\"id\":\"`,
	fieldType:      `\",\"type\":\"`,
	fieldFrom:      `\",\"from\":\"`,
	fieldTo:        `\",\"to\":\"`,
	fieldTimestamp: `\",\"ts\":\"`,
	fieldPayload:   `\",`,
}

// headEscapes is how many backslashes are in it.
const headEscapes = 3 + 4*4 + 1

// Begin takes the beginning of an envelope and returns how many of its bytes it
// has taken: all up to the payload's key in the form in which nodes write it, 0
// in any other. What it has taken is printable ASCII, and begins and ends
// between two escapes. The bytes must stay as they are until Decode has returned.
func (d *Decoder) Begin(escaped []byte) (taken int) {
	var values [fieldPayload][]byte
	for f, before := range usualHead {
		if len(escaped)-taken < len(before) || string(escaped[taken:taken+len(before)]) != before {
			return 0
		}
		taken += len(before)
		if field(f) < fieldPayload {
			length := verbatim.Len(escaped[taken:])
			values[f] = escaped[taken : taken+length]
			taken += length
		}
	}
	e := &d.envelope
	if !e.parseStamp(values[fieldTimestamp]) {
		*e = envelope{}
		return 0 // Decode will find words for it
	}
	e.id, e.kind = text{values[fieldID], true}, text{values[fieldType], true}
	e.from, e.to = text{values[fieldFrom], true}, text{values[fieldTo], true}
	d.before = taken - headEscapes
	return taken
}

// ID is the message's, when Begin has taken something. It lies in what Begin was
// given, and is not checked yet: it may be empty or too long.
func (d *Decoder) ID() []byte { return d.envelope.id.raw }

// Decode decodes what follows after the bytes that Begin has taken, unescaped:
// the whole text when it took none or was not called. Rules, errors and
// allocations are those of the function [Decode].
func (d *Decoder) Decode(rest []byte) (*Message, error) {
	var err error
	if d.before == 0 {
		err = d.envelope.scan(rest)
	} else if err = d.envelope.members(rest, skipSpace(rest, 0), fieldPayload); err != nil {
		if fault := (*syntaxError)(nil); errors.As(err, &fault) {
			fault.offset += d.before
		}
	}
	if err != nil {
		return nil, err
	}
	return d.envelope.message(d.From, d.To)
}
