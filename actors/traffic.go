package actors

import (
	"sync/atomic"
	"time"
)

// Traffic counts the messages of one connection.
type Traffic struct {
	Received uint64 // passed every check
	Sent     uint64 // accepted by the operating system, without the handshake
	Dropped  uint64 // received and dropped for any reason but that they were duplicates
}

// inboundTraffic is written by the actor and read by any goroutine.
type inboundTraffic struct {
	received, dropped atomic.Uint64
	ahead             atomic.Int64 // nanoseconds, see Handle.ClockAhead
}

// Traffic returns the message counts of the connection.
func (h *Handle) Traffic() Traffic {
	return Traffic{Received: h.traffic.received.Load(), Dropped: h.traffic.dropped.Load(), Sent: h.outbox.sentMessages()}
}

// ClockAhead returns by how much the peer's clock was ahead of this node's by the timestamp of its last message, less
// the time that the message took; negative: behind; 0: not known.
func (h *Handle) ClockAhead() time.Duration { return time.Duration(h.traffic.ahead.Load()) }

// sentMessages returns the number of messages that the operating system has accepted, without the handshake.
func (o *outbox) sentMessages() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent
}
