package actors

import (
	"errors"
	"time"

	"github.com/Snider/go-p2p/actors/socket"
)

// Errors of Handle.Send and Handle.Post, for errors.Is.
var (
	// ErrQueueFull means that the peer's queue holds the configured number of messages or bytes.
	ErrQueueFull = errors.New("the peer's queue is full")
	// ErrClosed means that the connection ended first.
	ErrClosed = socket.ErrClosed
	// ErrWriteTimeout means that the peer read nothing for the length of the write timeout.
	ErrWriteTimeout = socket.ErrWriteTimeout
)

// flushAt is the number of corked bytes after which the writer flushes, plus at most one message.
const flushAt = 64 << 10

// outbounds recycles the batches of all outboxes.
var outbounds batches[*frame]

// outbox is the bounded queue between a connection's actor and its socket. Senders reserve space before they post to
// the actor, so the limit covers the mailbox too.
//
//	reserve (any goroutine) → push (the actor) → admit, process (the writer) → socket
type outbox struct {
	workQueue[*frame] // its mutex guards all fields of the outbox

	// These fields and those above are used for each message and share a cache line. With 1,000 connections all are cold.
	messages int // reserved, until written
	count    int // bytes of those messages
	socket   *socket.Conn

	node     *Node
	closed   bool
	refusing bool         // reserve fails from now on
	flushing bool         // the connection ends: messages no longer wait for tokens
	promised int32        // reserved messages that are not pushed yet
	own      int32        // messages of the connection itself, without a reservation
	pacing   *pacing      // nil: the peer has announced no limit, or none is known yet
	since    time.Time    // when the writer last made progress, on the running clock
	err      error        // why it is closed
	writing  *socket.Conn // the writer's; nil while none runs

	host outboxHost
}

// outboxHost is the owner of an outbox: the handle of its connection.
type outboxHost interface {
	startWriter(run func()) // on another goroutine
	writeFailed(err error)  // reports the error to the actor
}

// reserve reserves space for one message of size bytes. It returns ErrQueueFull or ErrClosed if that is impossible.
func (o *outbox) reserve(size int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed, o.refusing:
		return ErrClosed
	case o.messages >= o.node.Limits.QueueMessages, o.messages > 0 && o.count+size > o.node.Limits.QueueBytes:
		return ErrQueueFull
	}
	o.messages++
	o.promised++
	o.count += size
	return nil
}

// refuse makes reserve fail from now on. Reserved messages are still accepted.
func (o *outbox) refuse() {
	o.mu.Lock()
	o.refusing = true
	o.mu.Unlock()
}

// unreserve cancels the reservation of a message that will not be pushed.
func (o *outbox) unreserve(size int) {
	o.mu.Lock()
	o.messages--
	o.promised--
	o.count -= size
	o.mu.Unlock()
}

// attach gives the outbox its socket, once.
func (o *outbox) attach(s *socket.Conn) {
	o.mu.Lock()
	o.socket = s
	o.mu.Unlock()
}

// push queues a frame and starts the writer if it does not run. The few frames of the connection itself need no
// reservation.
func (o *outbox) push(f *frame) {
	o.mu.Lock()
	if f.reserved > 0 {
		o.promised--
	}
	if o.closed {
		err := o.err
		if f.reserved > 0 {
			o.messages--
			o.count -= f.reserved
		}
		o.mu.Unlock()
		f.resolve(err)
		o.node.frames.put(f)
		return
	}
	if f.reserved == 0 {
		o.own++
		o.messages++
		o.count += len(f.data)
	}
	o.flushing = o.flushing || f.closeWith != nil && !f.ordered
	if o.hold(f) {
		o.mu.Unlock()
		return
	}
	o.waiting = outbounds.append(o.waiting, f)
	o.bytes += len(f.data)
	start := o.due(o)
	o.mu.Unlock()
	if start {
		o.host.startWriter(o.work)
	}
}

// begin implements worker.
func (o *outbox) begin() { o.since = o.node.Running.Now() }

// close refuses all frames from now on and fails the queued ones.
func (o *outbox) close(err error) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return
	}
	o.closed, o.err = true, err
	waiting := join(o.stopPacing(), o.waiting)
	o.waiting, o.socket = nil, nil // a program may keep the handle for long
	o.mu.Unlock()
	if waiting != nil {
		o.complete(waiting.items, err)
	}
}

// admit implements worker.
func (o *outbox) admit(taken *batch[*frame], again bool) *batch[*frame] {
	taken = o.pace(taken)
	if o.writing = o.socket; taken == nil {
		o.writing = nil
	} else if again {
		o.since = o.node.Running.Now()
	}
	return taken
}

// process implements worker.
func (o *outbox) process(b *batch[*frame]) {
	end := b.items[len(b.items)-1].closeWith
	if err := o.write(o.writing, b.items); err != nil {
		o.fail(o.writing, err)
	} else if end != nil {
		o.close(ErrClosed)
		o.writing.Close(*end) // the read pump waits for the peer's close
	}
}

// exited implements worker: a connection whose writer has ended fails.
func (o *outbox) exited(*batch[*frame]) {
	conn := o.writing
	o.writing = nil
	o.fail(conn, errExited)
}

// recycle implements worker.
func (*outbox) recycle(b *batch[*frame]) { outbounds.put(b) }

// fail closes the connection after a write error.
func (o *outbox) fail(s *socket.Conn, err error) {
	o.close(err)
	o.host.writeFailed(err)
	s.Abort() // last: it also ends the reader, whose error is less precise
}

// write sends a batch and reports the result of each message after the flush that wrote it. If the network connection
// ends the goroutine, messages without a result fail.
func (o *outbox) write(s *socket.Conn, batch []*frame) error {
	resolved, corked, returned := 0, 0, false
	defer func() {
		if !returned {
			o.complete(batch[resolved:], errExited)
		}
	}()
	s.Cork()
	for i, f := range batch {
		var err error
		if len(f.data) > 0 { // the last frame may be a close without data
			err = s.Write(f.data, f.text)
			corked += len(f.data)
		}
		if last := i == len(batch)-1; err == nil && (last || corked >= flushAt) {
			err = s.Flush(last, o.progressed)
			if err == nil {
				o.complete(batch[resolved:i+1], nil)
				resolved, corked = i+1, 0
				if !last {
					o.progressed()
				}
			}
		}
		if err != nil {
			returned = true
			o.complete(batch[resolved:], err)
			return err
		}
	}
	returned = true
	return nil
}

// progressed records that the writer makes progress. A slow writer differs from a blocked one by that.
func (o *outbox) progressed() {
	o.mu.Lock()
	o.since = o.node.Running.Now()
	o.mu.Unlock()
}

// complete removes messages from the accounting, reports their results, and recycles their buffers.
func (o *outbox) complete(batch []*frame, err error) {
	bytes, frames, charged, own := 0, 0, 0, int32(0)
	for _, f := range batch {
		bytes += len(f.data)
		charged += f.charged()
		if f.reserved == 0 {
			own++
		}
		if len(f.data) > 0 {
			frames++
		}
	}
	o.mu.Lock()
	o.messages -= len(batch)
	o.count -= charged
	o.own -= own
	o.mu.Unlock()
	if err == nil {
		o.node.Counters.Add(MessagesSent, frames)
		o.node.Counters.Add(BytesSent, bytes)
	}
	for _, f := range batch {
		f.resolve(err)
		o.node.frames.put(f)
	}
}
