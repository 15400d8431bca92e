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

// messageOverhead is the approximate memory of a message of a session beyond its bytes in the record, in bytes.
const messageOverhead = 256

// costInRecord returns the cost in bytes of a message of n bytes in a record.
func costInRecord(n int) int64 { return int64(n) + messageOverhead }

// budget bounds the bytes that a connection holds between its socket and its handlers. The read pump takes the cost of
// each frame. The actor opens the frame, and its cost becomes that of its messages. The handler's end or a drop gives
// the cost of a message back. One frame may exceed the limit, so that a message of any size fits.
//
//	used = frames that are not opened (read - opened) + messages that wait for handlers
type budget struct {
	limit  int64
	used   atomic.Int64
	read   atomic.Int64 // by the pump, so far
	opened atomic.Int64 // by the actor, so far
	closed atomic.Bool
	paused atomic.Bool     // the actor waits for handlers
	choked atomic.Bool     // records wait for tokens: no further one is read
	resume func()          // tells the actor to go on
	clock  *runclock.Clock // the node's
	held   hold            // the time in which the read pump waited

	mu    sync.Mutex    // guards freed; not used while the budget is below its limit
	freed chan struct{} // buffer of one; bytes were given back or the budget was closed; nil until the pump waits
}

func newBudget(limit int, clock *runclock.Clock, resume func()) *budget {
	return &budget{limit: int64(limit), clock: clock, resume: resume}
}

// wait blocks until the budget is below its limit and not choked. It returns false if the budget is closed. Only for
// the read pump.
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

// take takes the cost of a frame of n bytes. Only for the read pump.
func (b *budget) take(n int) {
	cost := costOf(n)
	b.read.Add(cost) // before used: pause must not overestimate the messages
	b.used.Add(cost)
}

// open returns the cost of a frame of n bytes that the actor opens or drops. The caller gives it back.
func (b *budget) open(n int) int64 {
	cost := costOf(n)
	b.opened.Add(cost)
	return cost
}

// grow adds the cost by which messages exceed that of their frame.
func (b *budget) grow(cost int64) { b.used.Add(cost) }

func (b *budget) give(cost int64) {
	if left := b.used.Add(-cost); left < b.limit && left+cost >= b.limit {
		b.signal()
	}
	if b.paused.Load() && !b.crowded() && b.paused.CompareAndSwap(true, false) {
		b.resume()
	}
}

// crowded reports whether messages that wait for handlers take the whole budget.
func (b *budget) crowded() bool { return b.used.Load()-b.read.Load()+b.opened.Load() >= b.limit }

// pause reports whether the actor must open no frame until resume is called. Only for the actor.
func (b *budget) pause() bool {
	if !b.crowded() {
		return false
	}
	b.paused.Store(true)
	return b.crowded() || !b.paused.CompareAndSwap(true, false)
}

// choke holds the read pump back until its end, so that a peer over its rate does not fill the memory with records.
// Only for the actor.
func (b *budget) choke(on bool) {
	if b.choked.Swap(on) && !on {
		b.signal()
	}
}

// full reports whether the read pump is held back. The peer's silence does not count then.
func (b *budget) full() bool { return b.used.Load() >= b.limit || b.choked.Load() }

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
