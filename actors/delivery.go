package actors

import (
	"runtime/debug"
	"sync"

	"github.com/Snider/go-p2p/wire"
)

// Sink receives what happens on one connection, in order and one call at a time, on a goroutine that is neither an
// actor's nor a pump's: a call may block, panic or call anything.
type Sink interface {
	// Do runs one thing that happened: whatever the registry put into the connection's order of events.
	Do(event any)
	// Message hands over a message that passed limiter, decryption and dedup.
	Message(msg *wire.Message)
}

// Delivery is the queue between a connection and its handlers. Its goroutine exists only while there is something
// to deliver. Safe for concurrent use. What bounds it is the connection's byte budget.
type Delivery struct {
	mu           sync.Mutex
	waiting      *batch[deliverable] // nil: nothing waits
	waitingBytes int
	running      bool
	patient      bool // messages are claimed when the actor's turn is over

	sink     Sink
	counters *Counters
	samples  *Sampler
	activity *Activity
	turn     func() // run, made once
}

// deliverables recycles the batches of all deliveries.
var deliverables batches[deliverable]

type deliverable struct {
	event   any
	message *wire.Message
	room    *budget // what the message's frame is counted in
	size    int
}

// NewDelivery returns an empty queue before sink.
func NewDelivery(sink Sink, counters *Counters, samples *Sampler, activity *Activity) *Delivery {
	d := &Delivery{sink: sink, counters: counters, samples: samples, activity: activity}
	d.turn = d.run
	return d
}

// Event queues something for Sink.Do.
func (d *Delivery) Event(event any) {
	d.mu.Lock()
	d.waiting = deliverables.append(d.waiting, deliverable{event: event})
	start := d.begin()
	d.mu.Unlock()
	if start {
		d.activity.Go(d.turn)
	}
}

// Hold keeps back what is queued, from now until release is called. Only for a queue that has nothing in it yet.
func (d *Delivery) Hold() (release func()) {
	d.mu.Lock()
	d.running = true
	d.mu.Unlock()
	return func() { d.activity.Go(d.turn) }
}

// message queues a message for Sink.Message; its size is given back to room once the handler is done with it, or has
// panicked.
func (d *Delivery) message(msg *wire.Message, room *budget, size int) {
	d.mu.Lock()
	d.waiting = deliverables.append(d.waiting, deliverable{message: msg, room: room, size: size})
	d.waitingBytes += size
	start := (!d.patient || d.waitingBytes >= flushAt) && d.begin()
	d.mu.Unlock()
	if start {
		d.activity.Go(d.turn)
	}
}

// Idle reports whether nothing waits and no handler runs.
func (d *Delivery) Idle() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.running && d.waiting == nil
}

// leaveToTurns has messages wait until they are claimed.
func (d *Delivery) leaveToTurns() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.patient = true
}

// claim reports whether the caller is to deliver: something waits, and nobody delivers.
func (d *Delivery) claim() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting != nil && d.begin()
}

// begin is under the lock.
func (d *Delivery) begin() bool {
	started := !d.running
	d.running = true
	return started
}

func (d *Delivery) run() { d.runFrom(nil, 0) }

// runFrom delivers the items of a batch from first on, and then what is queued. If a handler ends the goroutine, another
// goes on with the next item.
func (d *Delivery) runFrom(taken *batch[deliverable], first int) {
	returned := false
	defer func() {
		if !returned {
			d.resume(taken, first)
		}
	}()
	for {
		if taken != nil {
			for first < len(taken.items) {
				item := &taken.items[first]
				first++
				d.deliver(item)
				*item = deliverable{}
			}
			deliverables.put(taken)
		}
		d.mu.Lock()
		taken, first = d.waiting, 0
		d.waiting, d.waitingBytes = nil, 0
		if taken == nil {
			d.running, returned = false, true
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
	}
}

// resume starts the goroutine that goes on with a batch.
func (d *Delivery) resume(taken *batch[deliverable], first int) {
	d.activity.Go(func() { d.runFrom(taken, first) })
}

// deliver runs the handler of one item. A panic and runtime.Goexit in it are counted and logged.
func (d *Delivery) deliver(next *deliverable) {
	returned := false
	defer func() {
		if next.room != nil {
			next.room.give(next.size)
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
