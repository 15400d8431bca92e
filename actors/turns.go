package actors

import "sync/atomic"

// turnPatience is after how many messages of one long turn what it has left to be done is begun beside it.
const turnPatience = 64

// turns is the dispatcher of one connection's actor. What a turn leaves to be written and delivered is done right
// after it, on the same goroutine: a lone message then costs one wake-up and not three. It is no part of the turn:
// the actor is idle by then, and takes its next turn on another goroutine whatever becomes of this one.
type turns struct {
	workers  *Workers
	writers  *Activity
	outbox   *outbox
	delivery atomic.Pointer[Delivery] // nil until the connection is open
}

// Schedule implements actor.Dispatcher.
func (t *turns) Schedule(turn func()) {
	t.workers.start(job{run: turn, after: t, turn: t.workers})
}

// Throughput implements actor.Dispatcher.
func (t *turns) Throughput() int { return t.workers.Throughput() }

// settle does what a turn has left. When there are two things neither waits for the other: a handler may take for
// ever, and a write until its timeout.
func (t *turns) settle() {
	write, delivery := t.outbox.claim(t.outbox), t.delivery.Load()
	switch {
	case delivery != nil && delivery.claim(delivery):
		if write {
			t.writers.Go(t.outbox.work)
		}
		t.workers.aside(delivery.activity, delivery.work)
	case write:
		t.writers.do(t.outbox.work)
	}
}

// start begins what has been left so far on goroutines of its own, since the turn goes on.
func (t *turns) start() {
	if t.outbox.claim(t.outbox) {
		t.writers.Go(t.outbox.work)
	}
	if delivery := t.delivery.Load(); delivery != nil && delivery.claim(delivery) {
		delivery.activity.Go(delivery.work)
	}
}
