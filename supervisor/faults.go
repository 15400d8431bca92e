package supervisor

import "github.com/Snider/go-p2p/actors"

// Crash makes the connection's actor panic on the next message it takes: a fault point for tests and demonstrations, as
// WithConnWrapper is one for sockets. What follows is what follows any panic there: the connection ends without a
// goodbye, its place is free again, ActorRestarts is counted, and a peer that is kept connected is dialled again.
func (c *PeerConnection) Crash() {
	c.hub.system.Root.Send(c.PID(), (*actors.Goodbye)(nil)) // one without an end to look at
}
