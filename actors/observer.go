package actors

import "time"

// Observer receives measured times. Its methods are called in the order of a connection's messages and events, on the
// goroutine of its handlers. A call that blocks, panics or ends the goroutine affects that connection only. The
// methods must be safe for concurrent use.
type Observer interface {
	// RoundTrip receives the time from a ping to its pong, by this node's clock.
	RoundTrip(d time.Duration)
	// Handshake receives the time from the socket to the open connection, including the registry's decision. Failed
	// handshakes are not observed: their length is chosen by the peer.
	Handshake(d time.Duration)
	// Handler receives the run time of the program's message handler, also of one that panicked.
	Handler(d time.Duration)
}

// observe queues a call of the node's observer behind earlier events.
func (p *connection) observe(tell func(Observer)) {
	if o := p.node.Observer; o != nil {
		p.inbox.Event(func() { tell(o) })
	}
}
