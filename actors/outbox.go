package actors

import (
	"errors"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors/socket"
)

// Why a message did not reach the operating system.
var (
	// ErrQueueFull means that the peer's queue holds as many messages or bytes as it may.
	ErrQueueFull = errors.New("the peer's queue is full")
	// ErrClosed means that the connection ended first.
	ErrClosed = socket.ErrClosed
	// ErrWriteTimeout means that the peer took nothing for the length of the write timeout.
	ErrWriteTimeout = socket.ErrWriteTimeout
)

// flushAt is how many corked bytes are written at once, at most one message more.
const flushAt = 64 << 10

// outbounds recycles the batches of all outboxes.
var outbounds batches[*frame]

// outbox is the bounded queue between a connection's actor and its socket. Senders reserve room before they post to
// the actor, so the limit covers the mailbox too. Its writer goroutine exists only while there is something to
// write.
//
// Flow: reserve (any goroutine) → push (the actor) → run (the writer) → socket.
type outbox struct {
	// What each message needs comes first, in one cache line: of a thousand connections all are cold.
	mu           sync.Mutex
	messages     int // reserved, until written
	bytes        int
	waiting      *batch[*frame] // nil: nothing waits
	waitingBytes int
	socket       *socket.Conn
	node         *Node
	turn         func() // run, made once
	running      bool
	closed       bool
	refusing     bool      // no room is reserved any more
	patient      bool      // what waits is claimed when the actor's turn is over
	flushing     bool      // the connection ends: messages do not wait for tokens any more
	promised     int32     // of the messages, those that are not pushed yet
	own          int32     // of the messages, those of the connection's own: for them no room is reserved
	pacing       *pacing   // nil: the peer has no limit, or it is not known yet
	since        time.Time // when the writer last moved on, on the running clock
	err          error

	host outboxHost
}

// outboxHost is what an outbox belongs to: its connection's handle.
type outboxHost interface {
	startWriter(run func()) // on a goroutine of its own
	writeFailed(err error)  // tells the actor
}

// reserve makes room for one message of size bytes, or says why there is none.
func (o *outbox) reserve(size int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed, o.refusing:
		return ErrClosed
	case o.messages >= o.node.Limits.QueueMessages, o.messages > 0 && o.bytes+size > o.node.Limits.QueueBytes:
		return ErrQueueFull
	}
	o.messages++
	o.promised++
	o.bytes += size
	return nil
}

// refuse reserves no room from now on; messages that have room are still taken.
func (o *outbox) refuse() {
	o.mu.Lock()
	o.refusing = true
	o.mu.Unlock()
}

// unreserve gives room back for a message that will not be pushed.
func (o *outbox) unreserve(size int) {
	o.mu.Lock()
	o.messages--
	o.promised--
	o.bytes -= size
	o.mu.Unlock()
}

// attach gives the outbox its socket, once.
func (o *outbox) attach(s *socket.Conn) {
	o.mu.Lock()
	o.socket = s
	o.mu.Unlock()
}

// push queues a message and starts the writer if it does not run. A message for which no room is reserved is let in
// all the same: one of the few that the connection itself makes.
func (o *outbox) push(f *frame) {
	o.mu.Lock()
	if f.room > 0 {
		o.promised--
	}
	if o.closed {
		err := o.err
		if f.room > 0 {
			o.messages--
			o.bytes -= f.room
		}
		o.mu.Unlock()
		f.done(err)
		o.node.frames.put(f)
		return
	}
	if f.room == 0 {
		o.own++
		o.messages++
		o.bytes += len(f.data)
	}
	o.flushing = o.flushing || f.end != nil && !f.inTurn
	if o.hold(f) {
		o.mu.Unlock()
		return
	}
	o.waiting = outbounds.append(o.waiting, f)
	o.waitingBytes += len(f.data)
	start := (!o.patient || o.waitingBytes >= flushAt) && o.begin()
	o.mu.Unlock()
	if start {
		o.host.startWriter(o.turn)
	}
}

// claim reports whether the caller is to run the writer: something waits, and nobody writes.
func (o *outbox) claim() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waiting != nil && o.begin()
}

// begin is under the lock.
func (o *outbox) begin() bool {
	if o.running {
		return false
	}
	o.running, o.since = true, o.node.Running.Now()
	if o.turn == nil {
		o.turn = o.run
	}
	return true
}

// close refuses everything from now on and fails what waits.
func (o *outbox) close(err error) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return
	}
	o.closed, o.err = true, err
	waiting := join(o.stopPacing(), o.waiting)
	o.waiting, o.socket = nil, nil // whoever holds the handle for long must not hold these
	o.mu.Unlock()
	if waiting != nil {
		o.finish(waiting.items, err)
	}
}

// run is the writer: it takes all that waits, writes it corked, and ends when nothing waits.
func (o *outbox) run() {
	var socket *socket.Conn
	returned := false
	defer func() {
		if !returned {
			o.fail(socket, errExited)
		}
	}()
	for again := false; ; again = true {
		o.mu.Lock()
		taken := o.waiting
		socket = o.socket
		o.waiting, o.waitingBytes = nil, 0
		if taken = o.admit(taken); taken == nil {
			o.running, returned = false, true
			o.mu.Unlock()
			return
		}
		if again {
			o.since = o.node.Running.Now()
		}
		o.mu.Unlock()
		end := taken.items[len(taken.items)-1].end
		if err := o.write(socket, taken.items); err != nil {
			o.fail(socket, err)
		} else if end != nil {
			o.close(ErrClosed)
			socket.Close(*end) // the rest is the reader's
		}
		outbounds.put(taken)
	}
}

// fail ends the connection because writing has failed.
func (o *outbox) fail(s *socket.Conn, err error) {
	o.close(err)
	o.host.writeFailed(err)
	s.Abort() // last: it ends the reading too, and the reader knows less about why
}

// write sends a batch and settles each message at the flush that carried it. If the network connection ends the goroutine,
// the messages without a result fail.
func (o *outbox) write(s *socket.Conn, batch []*frame) error {
	settled, corked, returned := 0, 0, false
	defer func() {
		if !returned {
			o.finish(batch[settled:], errExited)
		}
	}()
	s.Cork()
	for i, f := range batch {
		var err error
		if len(f.data) > 0 { // a last message may be no more than the close
			err = s.Write(f.data, f.text)
			corked += len(f.data)
		}
		if last := i == len(batch)-1; err == nil && (last || corked >= flushAt) {
			err = s.Flush(last, o.movedOn)
			if err == nil {
				o.finish(batch[settled:i+1], nil)
				settled, corked = i+1, 0
				if !last {
					o.movedOn()
				}
			}
		}
		if err != nil {
			returned = true
			o.finish(batch[settled:], err)
			return err
		}
	}
	returned = true
	return nil
}

// movedOn tells apart a writer that is slow from one that is stuck.
func (o *outbox) movedOn() {
	o.mu.Lock()
	o.since = o.node.Running.Now()
	o.mu.Unlock()
}

// finish takes messages off the count, tells those who wait, and recycles the buffers.
func (o *outbox) finish(batch []*frame, err error) {
	bytes, frames, room, own := 0, 0, 0, int32(0)
	for _, f := range batch {
		bytes += len(f.data)
		room += f.counted()
		if f.room == 0 {
			own++
		}
		if len(f.data) > 0 {
			frames++
		}
	}
	o.mu.Lock()
	o.messages -= len(batch)
	o.bytes -= room
	o.own -= own
	o.mu.Unlock()
	if err == nil {
		o.node.Counters.Add(MessagesSent, frames)
		o.node.Counters.Add(BytesSent, bytes)
	}
	for _, f := range batch {
		f.done(err)
		o.node.frames.put(f)
	}
}
