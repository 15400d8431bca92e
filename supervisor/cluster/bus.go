package cluster

import (
	"context"
	"errors"
)

// Errors of Bus.Request.
var (
	// ErrNoResponders proves that nothing subscribes to the subject of a request: a member that has subscribed to it
	// before has ended.
	ErrNoResponders = errors.New("no responders")
	// ErrDetached means that this member is not connected to the others at present, or not to all of them. It says nothing
	// about the member that was asked.
	ErrDetached = errors.New("this member is not connected to the others at present")
)

// Bus carries messages between members. Delivery is at most once, and in order for each pair of publisher and subject.
// A publisher may receive its own messages. Safe for concurrent use.
type Bus interface {
	// Publish sends a message to all subscribers of a subject. It never waits for them. It retains body.
	Publish(subject string, body []byte) error
	// Request sends a message and returns the answer of one subscriber. The errors are ErrNoResponders and ErrDetached,
	// at once, and ctx's.
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
