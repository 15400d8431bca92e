package actors

import "time"

// Observer is told how long things took. Its methods are called where it happened, on goroutines of connections, so
// they must return at once, allocate nothing that a peer could multiply, and be safe for concurrent use.
type Observer interface {
	// RoundTrip is the time from a ping to its pong, by this node's clock.
	RoundTrip(d time.Duration)
	// Handshake is the time from the socket to the open connection, the registry's decision included. Handshakes that
	// fail are not observed: how long a stranger stays silent is its own choice.
	Handshake(d time.Duration)
	// Handler is the time that the program's message handler took, one that panicked included.
	Handler(d time.Duration)
}

func (n *Node) observeRoundTrip(d time.Duration) {
	if n.Observer != nil {
		n.Observer.RoundTrip(d)
	}
}

func (n *Node) observeHandshake(d time.Duration) {
	if n.Observer != nil {
		n.Observer.Handshake(d)
	}
}
