package cluster

import (
	"fmt"
	"sync"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

const (
	watchEvery  = 250 * time.Millisecond
	silentAfter = 2*time.Second - 2*watchEvery // without an ack: a message ends within 2 s of the last one, or of its call
	maxResult   = 64 << 20                     // bytes of all parts of a result
)

// outward sends messages to one other member, in batches. A batch is sent when it has as many messages as those without
// an ack together, when it is full, or after watchEvery. With n callers that wait for each result, two batches of n/2
// messages are under way: while one member handles a batch, the other one handles the second. Safe for concurrent use.
type outward struct {
	forwarder *forwarder
	name      string // of the other member
	subject   string
	mu        sync.Mutex
	next      *batch // not sent; nil: empty
	last      uint64 // id of the last batch
	buffer    []byte // body of the next batch while it grows; reused
	entries   int    // expected in the next batch
	batches   map[uint64]*batch
	open      window // sent batches without an ack
	unacked   int    // messages in them
	watching  bool
	heard     time.Time // last ack, on the running clock
	ended     []ending  // to report after mu is released
}

// ending is the result of a flight, or the order to forward it once more.
type ending struct {
	flight *flight
	data   []byte
	err    error
	unsent bool   // it was not sent
	hint   string // unsent: the home of the peer as the other member knows it
}

func newOutward(f *forwarder, name string) *outward {
	return &outward{
		forwarder: f, name: name, subject: f.engine.subject("m", name, "fwd"), batches: make(map[uint64]*batch),
	}
}

// add adds a message to the next batch. The error is ErrQueueFull.
func (o *outward) add(f *flight) error {
	o.mu.Lock()
	defer o.unlock()
	if o.next != nil && !o.next.fits(f) {
		if !o.open.admits(true) {
			return fmt.Errorf("the member that holds the peer is slow: %w", supervisor.ErrQueueFull)
		}
		o.send()
	}
	if o.next == nil {
		o.next = o.begin()
	}
	at := &f.first
	if f.tried != "" {
		at = &leg{} // a concurrent cancel may read the first one
	}
	*at = leg{out: o, batch: o.next.id, index: len(o.next.flights)}
	f.at.Store(at)
	f.data = nil
	o.next.flights = append(o.next.flights, f)
	o.next.body = f.appendTo(o.next.body)
	o.sendIfDue()
	return nil
}

// send publishes the next batch. mu is held.
func (o *outward) send() {
	b := o.next
	o.next = nil
	o.entries = max(len(b.flights), o.entries/2)
	err := o.forwarder.engine.bus.Publish(o.subject, o.takeBody(b))
	if err != nil {
		for _, f := range b.flights {
			o.ended = append(o.ended, ending{flight: f, err: err})
		}
		return
	}
	b.left = len(b.flights)
	o.batches[b.id] = b
	o.open++
	o.unacked += len(b.flights)
	for i, f := range b.flights {
		if f.over.Load() {
			o.publishCancel(b.id, i)
		}
	}
	o.watch()
}

// cancel tells the member that the caller of a message no longer waits.
func (o *outward) cancel(at *leg, f *flight) {
	o.mu.Lock()
	defer o.unlock()
	if b := o.batches[at.batch]; b != nil && b.flights[at.index] == f {
		o.publishCancel(at.batch, at.index)
	}
}

func (o *outward) publishCancel(id uint64, index int) {
	e := o.forwarder.engine
	_ = e.bus.Publish(o.subject, encodeCancel(e.head(kindCancel), id, index)) // repeated if an ack still names it
}

// onAck processes results.
func (o *outward) onAck(a *ack) {
	o.mu.Lock()
	defer o.unlock()
	b := o.batches[a.batch]
	if b == nil { // its callers no longer wait
		a.waiting.each(func(i int) { o.publishCancel(a.batch, i) })
		return
	}
	if !b.acked {
		b.acked = true
		o.open--
		o.unacked -= len(b.flights)
	}
	b.heard = o.forwarder.engine.opts.Running.Now()
	o.heard = b.heard
	o.ended = make([]ending, 0, len(a.results))
	for i := range a.results {
		o.conclude(b, &a.results[i])
	}
	for i, f := range b.flights {
		if f != nil && !a.waiting.has(i) {
			o.end(b, i, ending{flight: f, err: &supervisor.UnconfirmedError{Cause: errResultLost}})
		}
	}
	o.advance(b)
}

// conclude ends a flight with its result, or keeps a part of it. mu is held.
func (o *outward) conclude(b *batch, r *entryResult) {
	i := int(r.index)
	if i >= len(b.flights) || b.flights[i] == nil {
		return
	}
	f := b.flights[i]
	switch {
	case r.code == codePart && len(f.data)+len(r.data) <= maxResult:
		f.data = append(f.data, r.data...)
	case r.code == codePart:
		o.end(b, i, ending{flight: f, err: &supervisor.UnconfirmedError{Cause: errResultLost}})
	case r.code == codeMoved:
		o.end(b, i, ending{flight: f, unsent: true, hint: r.text})
	default:
		data := r.data
		if f.data != nil {
			data = append(f.data, data...)
		}
		e := ending{flight: f, data: data, err: decodeError(r.code, r.text)}
		if uint64(len(data)) != r.total {
			e = ending{flight: f, err: &supervisor.UnconfirmedError{Cause: errResultLost}}
		}
		o.end(b, i, e)
	}
}

// end removes a flight from its batch. mu is held.
func (o *outward) end(b *batch, i int, e ending) {
	b.flights[i] = nil
	b.left--
	o.ended = append(o.ended, e)
}

// advance removes a batch whose results are all known, and sends the next one. mu is held.
func (o *outward) advance(b *batch) {
	if b.left == 0 {
		delete(o.batches, b.id)
	}
	o.sendIfDue()
}

// sendIfDue sends the next batch if it has as many messages as those without an ack together. mu is held.
func (o *outward) sendIfDue() {
	if o.next != nil && o.open.admits(len(o.next.flights) >= o.unacked) {
		o.send()
	}
}

// watch starts the timer that ends batches without an ack. mu is held.
func (o *outward) watch() {
	if !o.watching {
		o.watching = true
		time.AfterFunc(watchEvery, o.onWatch)
	}
}

func (o *outward) onWatch() {
	o.mu.Lock()
	defer o.unlock()
	o.watching = false
	now := time.Now()
	silent := func(since time.Time) bool {
		return o.forwarder.engine.opts.Running.Left(now, since.Add(silentAfter)) <= 0
	}
	dropped := false
	for _, b := range o.batches {
		if silent(b.heard) {
			dropped = true
			o.drop(b, errHomeSilent)
		}
	}
	if dropped && silent(o.heard) {
		o.dropNext()
	}
	if o.next != nil && o.open.admits(true) { // it has waited long enough
		o.send()
	}
	if len(o.batches) > 0 || o.next != nil {
		o.watch()
	}
}

// lose ends all messages in flight: those that were sent with ErrUnconfirmed.
func (o *outward) lose(cause error) {
	o.mu.Lock()
	defer o.unlock()
	for _, b := range o.batches {
		o.drop(b, cause)
	}
	o.dropNext()
}

// abandonNext ends the messages that were not sent.
func (o *outward) abandonNext() {
	o.mu.Lock()
	defer o.unlock()
	o.dropNext()
}

// drop ends the messages of a sent batch. mu is held.
func (o *outward) drop(b *batch, cause error) {
	if !b.acked {
		o.open--
		o.unacked -= len(b.flights)
	}
	delete(o.batches, b.id)
	for i, f := range b.flights {
		if f != nil {
			o.end(b, i, ending{flight: f, err: &supervisor.UnconfirmedError{Cause: cause}})
		}
	}
}

// dropNext ends the messages that were not sent. mu is held.
func (o *outward) dropNext() {
	if o.next == nil {
		return
	}
	for _, f := range o.next.flights {
		o.ended = append(o.ended, ending{flight: f, unsent: true})
	}
	o.next = nil
}

// unlock releases mu and reports results: the callers may call again.
func (o *outward) unlock() {
	ended := o.ended
	o.ended = nil
	o.mu.Unlock()
	for i := range ended {
		if e := &ended[i]; e.unsent {
			o.forwarder.resend(e.flight, o.name, e.hint)
		} else {
			e.flight.settle(e.data, e.err)
		}
	}
}
