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
	log      *LimitedLogger
	activity *Activity
}

// deliverables recycles the batches of all inboxes.
var deliverables batches[deliverable]

type deliverable struct {
	item   any     // *wire.Message, *unchecked, func(), *Dropped, or another event
	budget *budget // charged for the message; nil: an event
	cost   int64
}

// NewInbox returns an empty queue before sink.
func NewInbox(sink Sink, counters *Counters, log *LimitedLogger, activity *Activity) *Inbox {
	return &Inbox{sink: sink, counters: counters, log: log, activity: activity}
}

// Event queues an event for Sink.Do. It starts the worker also in a deferred queue, since no mailbox run may follow.
func (in *Inbox) Event(event any) {
	in.mu.Lock()
	in.waiting = deliverables.append(in.waiting, deliverable{item: event})
	start := in.start(in)
	in.mu.Unlock()
	if start {
		in.activity.Go(in.work)
	}
}

// Hold delays the delivery of all items until release is called. Only for a queue that is empty and new.
func (in *Inbox) Hold() (release func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.start(in)
	return func() { in.activity.Go(in.work) }
}

// message queues a message for Sink.Message. When the handler has returned or panicked, cost is given back to budget.
func (in *Inbox) message(msg *wire.Message, budget *budget, cost int64) {
	in.queue(deliverable{item: msg, budget: budget, cost: cost})
}

// queue queues an item with a cost.
func (in *Inbox) queue(item deliverable) {
	in.mu.Lock()
	in.add(item)
	in.unlock()
}

// messages is message for several messages of a record with these sizes.
func (in *Inbox) messages(messages []wire.Message, sizes []int32, budget *budget) {
	in.mu.Lock()
	for i := range messages {
		in.add(deliverable{item: &messages[i], budget: budget, cost: costInRecord(int(sizes[i]))})
	}
	in.unlock()
}

// add adds an item to the queue. The caller holds mu.
func (in *Inbox) add(item deliverable) {
	in.waiting = deliverables.append(in.waiting, item)
	in.bytes += int(item.cost)
}

// unlock releases mu, and starts the worker for the added items.
func (in *Inbox) unlock() {
	start := in.due(in)
	in.mu.Unlock()
	if start {
		in.activity.Go(in.work)
	}
}

// Idle reports whether no item waits and no handler runs.
func (in *Inbox) Idle() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return !in.running && in.waiting == nil
}

// deferMessages has messages wait until the dispatcher claims them at the end of a mailbox run.
func (in *Inbox) deferMessages() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.deferred = true
}

// begin implements worker.
func (*Inbox) begin() {}

// admit implements worker: all items are delivered.
func (*Inbox) admit(taken *batch[deliverable], _ bool) *batch[deliverable] { return taken }

// process implements worker.
func (in *Inbox) process(b *batch[deliverable]) {
	for b.next < len(b.items) {
		next := &b.items[b.next]
		if u, ok := next.item.(*unchecked); ok && !u.asked {
			askAll(b.items[b.next:])
		}
		b.next++
		in.deliver(next)
		*next = deliverable{}
	}
}

// exited implements worker: if a handler has ended the goroutine, another one continues with the next item.
func (in *Inbox) exited(b *batch[deliverable]) {
	in.activity.Go(func() { in.run(in, b) })
}

// recycle implements worker.
func (*Inbox) recycle(b *batch[deliverable]) { deliverables.put(b) }

// deliver runs the handler of one item. Panics and runtime.Goexit are counted and logged.
func (in *Inbox) deliver(next *deliverable) {
	returned := false
	defer func() {
		if next.budget != nil {
			next.budget.give(next.cost)
		}
		if !returned {
			reason := fault(recover())
			in.counters.Inc(HandlerPanics)
			in.log.Error("a message handler panicked", "panic", reason, "stack", string(debug.Stack()))
		}
	}()
	switch item := next.item.(type) {
	case *wire.Message:
		in.sink.Message(item)
	case *unchecked:
		item.deliver(in.sink)
	case func():
		item()
	case *Dropped:
		item.waiting.Add(-1)
		in.sink.Do(item)
	default:
		in.sink.Do(item)
	}
	returned = true
}
