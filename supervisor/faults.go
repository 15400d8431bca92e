package supervisor

import (
	"errors"

	"github.com/Snider/go-p2p/actors"
)

var errOtherTransport = errors.New("the connection belongs to another transport than these faults")

// Faults injects faults into one transport, for tests and demonstrations. The zero value is ready for WithFaults. Safe
// for concurrent use once the transport is made.
type Faults struct{ bus *eventBus }

// WithFaults connects faults to this transport. A Faults serves one transport.
func WithFaults(faults *Faults) Option {
	return func(o *options) { o.faults = faults; o.need("WithFaults", faults) }
}

// Crash makes a connection's actor panic at its next message. The effects are those of any panic there: the connection
// ends without a disconnect message, its slot is freed, ActorRestarts is counted, and a peer that is kept connected is
// dialled again. Crash returns an error for a connection of another transport.
func (f *Faults) Crash(c *PeerConnection) error {
	if c == nil || f.bus == nil || c.bus != f.bus {
		return errOtherTransport
	}
	f.bus.system.Root.Send(c.PID(), (*actors.CloseGracefully)(nil)) // the actor reads a field of the nil pointer
	return nil
}
