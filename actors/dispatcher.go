package actors

import (
	"runtime"
	"sync/atomic"
)

// flushEvery: in a long mailbox run, pending writes and deliveries are handed to other goroutines every 64 messages.
const flushEvery = 64

// dispatcher is the actor.Dispatcher of one connection. It does the writes and deliveries that a mailbox run leaves
// behind on the goroutine of that run, as soon as the run has ended:
//
//	message arrives ──▶ mailbox run: open, decode, enqueue reply and message ──▶ run ends ──▶ write reply
//	                    (on a worker goroutine, inside Receive)                   (same goroutine, outside Receive)
//
// A lone message thus costs one goroutine wake-up instead of three. The actor is idle by then: protoactor schedules
// its next run on another goroutine, whatever happens to this one. When a handler blocks here, it blocks neither the
// actor nor the writer.
type dispatcher struct {
	workers *Workers
	writers *Activity
	outbox  *outbox
	inbox   atomic.Pointer[Inbox] // nil until the connection is open
}

// Schedule implements actor.Dispatcher.
func (d *dispatcher) Schedule(run func()) {
	d.workers.start(job{run: run, dispatcher: d, mailbox: d.workers})
}

// Throughput implements actor.Dispatcher.
func (d *dispatcher) Throughput() int { return d.workers.Throughput() }

// afterRun does the pending work of a mailbox run. If there is both a write and a delivery, the write gets a goroutine
// of its own: a handler may block without limit, and a write may block until its timeout.
func (d *dispatcher) afterRun() {
	write, inbox := d.outbox.claim(d.outbox), d.inbox.Load()
	switch {
	case inbox != nil && inbox.claim(inbox):
		if write {
			d.writers.Go(d.outbox.work)
		}
		d.workers.runBlocking(inbox.activity, inbox.work)
	case write:
		d.writers.run(d.outbox.work)
	}
}

// flush hands the pending work to other goroutines while the mailbox run goes on. It yields to a new delivery, which
// finds the messages in the cache of this processor. Otherwise the delivery may begin only when the run ends, or when
// the messages fill the budget.
func (d *dispatcher) flush() {
	if d.outbox.claim(d.outbox) {
		d.writers.Go(d.outbox.work)
	}
	if inbox := d.inbox.Load(); inbox != nil && inbox.claim(inbox) {
		inbox.activity.Go(inbox.work)
		runtime.Gosched()
	}
}
