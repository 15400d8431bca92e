package actors

import "sync"

// frameOverhead is what a frame costs beside its bytes: its buffer is larger, and it stands in queues. Without it
// empty frames would cost nothing, and a flood of them memory without end.
const frameOverhead = 512

// budget bounds the bytes that a connection holds between its socket and its handlers. The read pump takes a frame's
// size, whoever is done with the frame gives it back. One message more than the limit may be held, so that any single
// message fits.
type budget struct {
	mu     sync.Mutex
	limit  int
	used   int
	closed bool
	room   chan struct{} // cap 1: something was given back, or the budget was closed; nil until somebody waits
}

func newBudget(limit int) *budget {
	return &budget{limit: limit}
}

// wait blocks until there is room and reports false once the budget is closed. For one goroutine: the read pump.
func (b *budget) wait() bool {
	for {
		b.mu.Lock()
		full, closed := b.used >= b.limit, b.closed
		if full && b.room == nil {
			b.room = make(chan struct{}, 1)
		}
		b.mu.Unlock()
		if closed {
			return false
		}
		if !full {
			return true
		}
		<-b.room
	}
}

func (b *budget) take(n int) {
	b.mu.Lock()
	b.used += n + frameOverhead
	b.mu.Unlock()
}

func (b *budget) give(n int) {
	b.mu.Lock()
	wasFull := b.used >= b.limit
	b.used -= n + frameOverhead
	if wasFull && b.used < b.limit {
		b.signal()
	}
	b.mu.Unlock()
}

// full reports whether the read pump is held back: then the peer's silence is our own doing.
func (b *budget) full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used >= b.limit
}

func (b *budget) close() {
	b.mu.Lock()
	b.closed = true
	b.signal()
	b.mu.Unlock()
}

// signal is under the lock.
func (b *budget) signal() {
	select {
	case b.room <- struct{}{}:
	default:
	}
}
