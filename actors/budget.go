package actors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/actors/runclock"
	"github.com/Snider/go-p2p/actors/socket"
)

// frameOverhead is the cost in bytes of a frame beyond its buffer, for its entries in queues.
const frameOverhead = 128

// costOf returns the cost in bytes of a frame of n bytes. The smallest buffer is the lower bound, so that a flood of
// empty frames is bounded, too.
func costOf(n int) int64 { return int64(max(n, socket.MinBuffer) + frameOverhead) }

// budget bounds the bytes that a connection holds between its socket and its handlers. The read pump takes the cost of
// each frame; the handler's end or a drop gives it back. One frame may exceed the limit, so that a message of any size
// fits.
type budget struct {
	limit  int64
	used   atomic.Int64
	closed atomic.Bool
	clock  *runclock.Clock // the node's
	held   hold            // the time in which the read pump waited

	mu    sync.Mutex    // guards freed; not used while the budget is below its limit
	freed chan struct{} // buffer of one; bytes were given back or the budget was closed; nil until the pump waits
}

func newBudget(limit int, clock *runclock.Clock) *budget {
	return &budget{limit: int64(limit), clock: clock}
}

// wait blocks until the budget is below its limit. It returns false if the budget is closed. Only for the read pump.
func (b *budget) wait() bool {
	for !b.closed.Load() {
		if !b.full() {
			return true
		}
		b.mu.Lock()
		if b.freed == nil {
			b.freed = make(chan struct{}, 1)
		}
		still := b.full() && !b.closed.Load() // from here on signal wakes the pump
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

// full reports whether the read pump is held back. The peer's silence does not count then.
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
	default: // the pump does not wait, or is signalled already
	}
}

// hold adds up the time in which the read pump was held back, on the running clock. The pump calls begin and end, any
// goroutine calls until.
type hold struct {
	since atomic.Pointer[time.Time] // nil: not held back
	total atomic.Int64              // nanoseconds of the ended holds
}

func (h *hold) begin(running time.Time) { h.since.Store(&running) }

func (h *hold) end(running time.Time) {
	began := h.since.Swap(nil)
	h.total.Add(int64(running.Sub(*began)))
}

// until returns the length of all holds up to now.
func (h *hold) until(running time.Time) time.Duration {
	total := h.total.Load() // read before since: a hold that ends in between is omitted, not counted twice
	if since := h.since.Load(); since != nil {
		total += max(int64(running.Sub(*since)), 0)
	}
	return time.Duration(total)
}
