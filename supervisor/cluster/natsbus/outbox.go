package natsbus

import (
	"errors"
	"sync"
	"time"
)

// Limits of an outbox.
const (
	maxWaiting      = 65536    // messages
	maxWaitingBytes = 64 << 20 // of their bodies, beyond the first one
)

// Errors of Publish.
var (
	ErrFull   = errors.New("too many messages to other members wait")
	ErrClosed = errors.New("the bus is closed")
)

// outgoing is a message that waits for the connection to NATS, or the end of a subscription.
type outgoing struct {
	subject string
	purpose string // for which the body is sealed, if it is
	body    []byte
	end     func() // ends a subscription; nil: a message
}

// outbox is a bounded queue before a writer that may wait. The writer runs on a goroutine that exists only while
// messages wait. Safe for concurrent use.
type outbox struct {
	write func(outgoing)

	mu      sync.Mutex
	waiting []outgoing
	bytes   int
	idle    chan struct{} // closed when no message waits; nil: the outbox is idle
	closed  bool
}

// add enqueues a message. It never waits. Errors: ErrFull, ErrClosed.
func (o *outbox) add(m outgoing) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return ErrClosed
	case len(o.waiting) >= maxWaiting, len(o.waiting) > 0 && o.bytes+len(m.body) > maxWaitingBytes:
		return ErrFull
	}
	o.waiting = append(o.waiting, m)
	o.bytes += len(m.body)
	if o.idle == nil {
		o.idle = make(chan struct{})
		go o.run()
	}
	return nil
}

// run writes messages in order until none waits.
func (o *outbox) run() {
	for {
		o.mu.Lock()
		batch := o.waiting
		o.waiting, o.bytes = nil, 0
		if len(batch) == 0 {
			close(o.idle)
			o.idle = nil
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
		for _, m := range batch {
			o.write(m)
		}
	}
}

// close refuses further messages, and waits until no message waits, but not longer than patience.
func (o *outbox) close(patience time.Duration) {
	o.mu.Lock()
	o.closed = true
	idle := o.idle
	o.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-time.After(patience):
	}
}
