package actors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/actors/socket"
)

// frameOverhead is what a frame costs beside its buffer, since it stands in queues.
const frameOverhead = 128

// costOf is what a frame of n bytes costs. Its buffer is not smaller than the least, or empty frames would cost nothing, and
// a flood of them memory without end.
func costOf(n int) int64 { return int64(max(n, socket.MinBuffer) + frameOverhead) }

// budget bounds the bytes that a connection holds between its socket and its handlers. The read pump takes a frame's
// size, whoever is done with the frame gives it back. One message more than the limit may be held, so that any single
// message fits.
type budget struct {
	limit  int64
	used   atomic.Int64
	closed atomic.Bool
	clock  *runclock.Clock // of the node
	held   hold            // the time in which the pump waited for room

	mu    sync.Mutex    // for waiting and waking; nobody takes it as long as there is room
	freed chan struct{} // cap 1: something was given back, or the budget was closed; nil until somebody waits
}

func newBudget(limit int, clock *runclock.Clock) *budget {
	return &budget{limit: int64(limit), clock: clock}
}

// wait blocks until there is room and reports false once the budget is closed. For one goroutine: the read pump.
func (b *budget) wait() bool {
	for !b.closed.Load() {
		if !b.full() {
			return true
		}
		b.mu.Lock()
		if b.freed == nil {
			b.freed = make(chan struct{}, 1)
		}
		still := b.full() && !b.closed.Load() // from here on a change is signalled
		b.mu.Unlock()
		if still {
			b.held.begin(b.clock.Now())
			<-b.freed
			b.held.end(b.clock.Now())
		}
	}
	return false
}

func (b *budget) take(n int) { b.used.Add(costOf(n)) }

func (b *budget) give(n int) {
	size := costOf(n)
	if left := b.used.Add(-size); left < b.limit && left+size >= b.limit {
		b.signal()
	}
}

// full reports whether the read pump is held back: then the peer's silence is our own doing.
func (b *budget) full() bool { return b.used.Load() >= b.limit }

func (b *budget) close() {
	b.closed.Store(true)
	b.signal()
}

func (b *budget) signal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.freed <- struct{}{}:
	default: // nobody has waited, or it is signalled already
	}
}

// hold adds up the time in which the read pump was held back, on the running clock. begin and end are called by the pump,
// until by any goroutine.
type hold struct {
	since atomic.Pointer[time.Time] // nil: not held back
	total atomic.Int64              // nanoseconds of the holds that have ended
}

func (h *hold) begin(running time.Time) { h.since.Store(&running) }

func (h *hold) end(running time.Time) {
	began := h.since.Swap(nil)
	h.total.Add(int64(running.Sub(*began)))
}

// until returns the time of all holds up to now.
func (h *hold) until(running time.Time) time.Duration {
	total := h.total.Load() // before since: a hold that ends in between is left out, not counted twice
	if since := h.since.Load(); since != nil {
		total += max(int64(running.Sub(*since)), 0)
	}
	return time.Duration(total)
}
