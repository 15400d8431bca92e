package actors

import (
	"runtime/debug"

	"github.com/Snider/go-p2p/wire"
)

// Sink receives the events and messages of one connection, in order and one call at a time, on a goroutine that is
// neither an actor's nor a pump's. A call may block, panic or use any API.
type Sink interface {
	// Do processes one event that the registry has queued with Inbox.Event.
	Do(event any)
	// Message processes a message that passed limiter, decryption and dedup.
	Message(msg *wire.Message)
}

// Inbox is the queue between a connection and its handlers. Its goroutine exists only while items are queued. The
// connection's byte budget bounds it. Safe for concurrent use.
type Inbox struct {
	workQueue[deliverable]

	sink     Sink
	counters *Counters
	samples  *LimitedLogger
	activity *Activity
}

// deliverables recycles the batches of all inboxes.
var deliverables batches[deliverable]

type deliverable struct {
	event   any
	message *wire.Message
	budget  *budget // charged for the message's frame
	size    int
}

// NewInbox returns an empty queue before sink.
func NewInbox(sink Sink, counters *Counters, samples *LimitedLogger, activity *Activity) *Inbox {
	return &Inbox{sink: sink, counters: counters, samples: samples, activity: activity}
}

// Event queues an event for Sink.Do. It starts the worker also in a deferred queue, since no mailbox run may follow.
func (d *Inbox) Event(event any) {
	d.mu.Lock()
	d.waiting = deliverables.append(d.waiting, deliverable{event: event})
	start := d.start(d)
	d.mu.Unlock()
	if start {
		d.activity.Go(d.work)
	}
}

// Hold delays the delivery of all items until release is called. Only for a queue that is empty and new.
func (d *Inbox) Hold() (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.start(d)
	return func() { d.activity.Go(d.work) }
}

// message queues a message for Sink.Message. When the handler has returned or panicked, size is given back to budget.
func (d *Inbox) message(msg *wire.Message, budget *budget, size int) {
	d.mu.Lock()
	d.waiting = deliverables.append(d.waiting, deliverable{message: msg, budget: budget, size: size})
	d.bytes += size
	start := d.due(d)
	d.mu.Unlock()
	if start {
		d.activity.Go(d.work)
	}
}

// Idle reports whether no item waits and no handler runs.
func (d *Inbox) Idle() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.running && d.waiting == nil
}

// deferMessages has messages wait until the dispatcher claims them at the end of a mailbox run.
func (d *Inbox) deferMessages() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deferred = true
}

// begin implements worker.
func (*Inbox) begin() {}

// admit implements worker: all items are delivered.
func (*Inbox) admit(taken *batch[deliverable], _ bool) *batch[deliverable] { return taken }

// process implements worker.
func (d *Inbox) process(b *batch[deliverable]) {
	for b.next < len(b.items) {
		item := &b.items[b.next]
		b.next++
		d.deliver(item)
		*item = deliverable{}
	}
}

// exited implements worker: if a handler has ended the goroutine, another one continues with the next item.
func (d *Inbox) exited(b *batch[deliverable]) {
	d.activity.Go(func() { d.run(d, b) })
}

// recycle implements worker.
func (*Inbox) recycle(b *batch[deliverable]) { deliverables.put(b) }

// deliver runs the handler of one item. Panics and runtime.Goexit are counted and logged.
func (d *Inbox) deliver(next *deliverable) {
	returned := false
	defer func() {
		if next.budget != nil {
			next.budget.give(next.size)
		}
		if !returned {
			reason := fault(recover())
			d.counters.Inc(HandlerPanics)
			d.samples.Error("a message handler panicked", "panic", reason, "stack", string(debug.Stack()))
		}
	}()
	if dropped, ok := next.event.(*Dropped); ok {
		dropped.waiting.Add(-1)
	}
	switch observe, ok := next.event.(func()); {
	case next.message != nil:
		d.sink.Message(next.message)
	case ok:
		observe()
	default:
		d.sink.Do(next.event)
	}
	returned = true
}
