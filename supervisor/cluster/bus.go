package cluster

import (
	"context"
	"errors"
)

// ErrNoResponders means that nothing subscribes to the subject of a request.
var ErrNoResponders = errors.New("no responders")

// Bus carries messages between members. Delivery is at most once, and in order for each pair of publisher and subject.
// A publisher may receive its own messages. Safe for concurrent use.
type Bus interface {
	// Publish sends a message to all subscribers of a subject. It never waits for them. It retains body.
	Publish(subject string, body []byte) error
	// Request sends a message and returns the answer of one subscriber. The errors are ErrNoResponders, at once, and
	// ctx's.
	Request(ctx context.Context, subject string, body []byte) ([]byte, error)
	// Subscribe calls handle for each message of a subject, one at a time and in order, until cancel.
	Subscribe(subject string, handle func(Delivery)) (cancel func(), err error)
	// MaxBody returns the length in bytes of the longest body that the bus carries now.
	MaxBody() int
}

// Delivery is one message.
type Delivery struct {
	Body    []byte            // belongs to the receiver
	Respond func(body []byte) // answers a request, once; nil for a published message
}
