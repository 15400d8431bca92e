package actors

import "time"

// Observer is told how long things took. Its methods are called in a connection's order of messages and events, on the
// goroutine that runs its handlers: a call that blocks, panics or ends the goroutine affects that connection only. They must
// be safe for concurrent use.
type Observer interface {
	// RoundTrip is the time from a ping to its pong, by this node's clock.
	RoundTrip(d time.Duration)
	// Handshake is the time from the socket to the open connection, the registry's decision included. Handshakes that
	// fail are not observed: how long a stranger stays silent is its own choice.
	Handshake(d time.Duration)
	// Handler is the time that the program's message handler took, one that panicked included.
	Handler(d time.Duration)
}

// observe queues a call of the node's observer behind the events before it.
func (p *Peer) observe(tell func(Observer)) {
	if o := p.node.Observer; o != nil {
		p.inbox.Event(func() { tell(o) })
	}
}
