package actors

import "sync/atomic"

// flushEvery is after how many messages of one long turn what it has left to be done is begun beside it.
const flushEvery = 64

// turns is the dispatcher of one connection's actor. What a turn leaves to be written and delivered is done right
// after it, on the same goroutine: a lone message then costs one wake-up and not three. It is no part of the turn:
// the actor is idle by then, and takes its next turn on another goroutine whatever becomes of this one.
type dispatcher struct {
	workers *Workers
	writers *Activity
	outbox  *outbox
	inbox   atomic.Pointer[Inbox] // nil until the connection is open
}

// Schedule implements actor.Dispatcher.
func (t *dispatcher) Schedule(turn func()) {
	t.workers.start(job{run: turn, dispatcher: t, mailbox: t.workers})
}

// Throughput implements actor.Dispatcher.
func (t *dispatcher) Throughput() int { return t.workers.Throughput() }

// settle does what a turn has left. When there are two things neither waits for the other: a handler may take for
// ever, and a write until its timeout.
func (t *dispatcher) afterRun() {
	write, delivery := t.outbox.claim(t.outbox), t.inbox.Load()
	switch {
	case delivery != nil && delivery.claim(delivery):
		if write {
			t.writers.Go(t.outbox.work)
		}
		t.workers.runBlocking(delivery.activity, delivery.work)
	case write:
		t.writers.run(t.outbox.work)
	}
}

// start begins what has been left so far on goroutines of its own, since the turn goes on.
func (t *dispatcher) flush() {
	if t.outbox.claim(t.outbox) {
		t.writers.Go(t.outbox.work)
	}
	if delivery := t.inbox.Load(); delivery != nil && delivery.claim(delivery) {
		delivery.activity.Go(delivery.work)
	}
}
