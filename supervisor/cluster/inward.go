package cluster

import (
	"errors"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

const (
	ackAfter   = time.Millisecond       // results of this time are reported together, unless they complete the batch
	remindEach = 500 * time.Millisecond // entries that wait are reported
)

// inward delivers the messages of one other member. Safe for concurrent use; receive is called by one goroutine.
type inward struct {
	forwarder *forwarder
	name      string // of the other member
	subject   string // of acks
	decoder   *wire.RecordDecoder

	mu        sync.Mutex
	arrived   map[batchKey]*arrived
	reminding bool
	due       []dueReport // by time
	timing    bool        // a timer calls onDue
}

// batchKey identifies a batch of a member.
type batchKey struct{ boot, id uint64 }

// arrived is a batch with entries that wait for their results. The lock of inward guards it.
type arrived struct {
	key        batchKey
	waiting    entrySet
	entries    int
	left       int           // entries in waiting
	cancels    []func()      // of waiting entries, by index; nil: there is none
	results    []entryResult // not reported
	size       int           // bytes of results
	delivering bool          // not all entries were passed on
	due        time.Time     // when results are reported at the latest; zero: not set
}

func newInward(f *forwarder, name string) *inward {
	return &inward{
		forwarder: f, name: name, subject: f.engine.subject("m", name, "ack"), decoder: f.newDecoder(),
		arrived: make(map[batchKey]*arrived),
	}
}

// receive handles a batch or a cancel.
func (in *inward) receive(msg *received) {
	if msg.kind == kindCancel {
		in.cancel(msg)
		return
	}
	b, complete := in.begin(msg), false
	defer func() { in.passedOn(b, complete) }()
	in.deliverAll(b, msg.entries)
	complete = true
}

// passedOn reports the results of a batch after all its entries were passed on. An incomplete batch, after a panic, is
// forgotten: its member hears nothing of the entries that wait, and takes them as unconfirmed.
func (in *inward) passedOn(b *arrived, complete bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	b.delivering = false
	if !complete && in.arrived[b.key] == b {
		delete(in.arrived, b.key)
	}
	in.report(b)
	in.remind()
}

// deliverAll passes the entries of a batch on. Each peer's writer starts when all are enqueued.
func (in *inward) deliverAll(b *arrived, entries []entry) {
	var gathering actors.Gathering
	defer gathering.Flush()
	for i := range entries {
		if cancel := in.deliver(b, i, &entries[i], &gathering); cancel != nil {
			in.keepCancel(b, i, cancel)
		}
	}
}

// begin records a batch.
func (in *inward) begin(msg *received) *arrived {
	b := &arrived{key: batchKey{msg.boot, msg.batch}, entries: len(msg.entries), left: len(msg.entries), delivering: true}
	for i := range msg.entries {
		b.waiting.add(i)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.arrived[b.key] = b
	return b
}

// deliver passes the entry with an index to this member.
func (in *inward) deliver(b *arrived, i int, e *entry, gathering *actors.Gathering) (cancel func()) {
	msg, err := e.message(in.decoder)
	switch {
	case err != nil:
		in.done(b, i, failure(err))
		return nil
	case e.broadcast:
		named := e.mode == castNamed
		in.forwarder.local.DeliverBroadcast(msg, e.role, func(sum supervisor.MemberBroadcast) {
			in.done(b, i, resultOfBroadcast(sum, named))
		})
		return nil
	default:
		peer := e.peer
		return in.forwarder.local.Deliver(supervisor.Forwarding{
			Peer: peer, Message: msg, Mode: e.mode, Endless: e.endless, Gathering: gathering,
		}, func(f supervisor.Forwarded) { in.done(b, i, in.resultOf(peer, f)) })
	}
}

func failure(err error) entryResult {
	code, text := encodeError(err)
	return entryResult{code: code, text: text}
}

// resultOf returns the result of a delivery. If the peer is not here, it names the peer's home.
func (in *inward) resultOf(peer string, f supervisor.Forwarded) entryResult {
	switch {
	case f.Err == nil && f.Reply == nil:
		return entryResult{}
	case f.Err == nil:
		form, err := formOfReply(f.Reply)
		if err != nil {
			return failure(&supervisor.UnconfirmedError{Cause: err})
		}
		return entryResult{data: form}
	}
	r := failure(f.Err)
	if r.code >= firstSentinel && errors.Is(f.Err, supervisor.ErrNotConnected) {
		r = entryResult{code: codeMoved, text: in.forwarder.hint(peer)}
	}
	return r
}

// done records the result of an entry.
func (in *inward) done(b *arrived, i int, r entryResult) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !b.waiting.has(i) {
		return
	}
	b.waiting.remove(i)
	if b.cancels != nil {
		b.cancels[i] = nil
	}
	b.left--
	r.index, r.total = byte(i), uint64(len(r.data))
	for len(r.data) > maxPart {
		in.publish(b, entryResult{index: r.index, code: codePart, data: r.data[:maxPart]}, i)
		r.data = r.data[maxPart:]
	}
	if b.results == nil {
		b.results = make([]entryResult, 0, 1+b.left)
	}
	b.results = append(b.results, r)
	b.size += len(r.data) + len(r.text)
	in.report(b)
}

// report publishes the results of a batch: at once if they are complete or many, and otherwise soon. mu is held.
func (in *inward) report(b *arrived) {
	switch {
	case in.arrived[b.key] != b: // the other member has restarted or left
	case b.size >= maxBytes, b.left == 0 && !b.delivering:
		in.acknowledge(b)
	case !b.delivering && b.due.IsZero():
		in.reportSoon(b)
	}
}

// acknowledge publishes the results of a batch and the entries that wait. mu is held, so that acks stay in order.
func (in *inward) acknowledge(b *arrived) {
	results := b.results
	b.results, b.size, b.due = nil, 0, time.Time{}
	if b.left == 0 && !b.delivering {
		delete(in.arrived, b.key)
	}
	in.send(b, b.waiting, results)
}

// publish publishes a part of the result of an entry, which therefore still waits. mu is held.
func (in *inward) publish(b *arrived, part entryResult, index int) {
	results := append(b.results, part)
	b.results, b.size = nil, 0
	waiting := b.waiting
	waiting.add(index)
	in.send(b, waiting, results)
}

func (in *inward) send(b *arrived, waiting entrySet, results []entryResult) {
	e := in.forwarder.engine
	a := &ack{head: e.head(kindAck), to: b.key.boot, batch: b.key.id, waiting: waiting, results: results}
	if err := e.bus.Publish(in.subject, a.encode()); err != nil {
		e.opts.Log.Warn("results of forwarded messages were not sent to a member", "member", in.name, "error", err)
	}
}

// remind starts the timer that reports entries that wait. mu is held.
func (in *inward) remind() {
	if !in.reminding && len(in.arrived) > 0 {
		in.reminding = true
		time.AfterFunc(remindEach, in.onRemind)
	}
}

func (in *inward) onRemind() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reminding = false
	for _, b := range in.arrived {
		if !b.delivering {
			in.acknowledge(b)
		}
	}
	in.remind()
}

func (in *inward) keepCancel(b *arrived, i int, cancel func()) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !b.waiting.has(i) {
		return
	}
	if b.cancels == nil {
		b.cancels = make([]func(), b.entries)
	}
	b.cancels[i] = cancel
}

// cancel ends the wait of an entry.
func (in *inward) cancel(msg *received) {
	in.mu.Lock()
	var cancel func()
	if b := in.arrived[batchKey{msg.boot, msg.batch}]; b != nil && msg.index < len(b.cancels) {
		cancel = b.cancels[msg.index]
	}
	in.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// end cancels the entries of the other member's starts except one: it has restarted, or left (0).
func (in *inward) end(except uint64) {
	in.mu.Lock()
	var cancels []func()
	for key, b := range in.arrived {
		if key.boot == except {
			continue
		}
		for _, cancel := range b.cancels {
			if cancel != nil {
				cancels = append(cancels, cancel)
			}
		}
		delete(in.arrived, key)
	}
	in.mu.Unlock()
	for _, cancel := range cancels {
		cancel()
	}
}
