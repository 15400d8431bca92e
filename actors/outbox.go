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

// outbox is the bounded queue before the socket of a connection. Senders put their messages into it themselves; only
// frames of the connection itself come from its actor.
//
//	post (senders), push (the actor) → admit, process (the writer) → codec.send → socket
//
// The writer seals, after the last point at which a message can be dropped: the order of sealing is the order on the
// wire.
type outbox struct {
	workQueue[*frame] // its mutex guards all fields of the outbox

	// These fields and those above are used for each message and share a cache line. With 1,000 connections all are cold.
	messages int // until written
	count    int // bytes of those messages
	socket   *socket.Conn

	node     *Node
	closed   bool
	refusing bool         // post fails
	posted   bool         // a message was posted since the last call of rest
	resting  bool         // the codec rests whenever no writer runs
	flushing bool         // the connection ends: messages no longer wait for tokens
	own      int32        // messages of the connection itself
	pacing   *pacing      // nil: the peer has announced no limit, or none is known yet
	since    time.Time    // when the writer last made progress, on the running clock
	codec    codec        // of all frames but those of the handshake; set before the first of them
	writing  *socket.Conn // the writer's; nil while none runs
	sending  codec        // the writer's

	host outboxHost
	sent uint64 // messages
}

// outboxHost is the owner of an outbox: the handle of its connection.
type outboxHost interface {
	startWriter(run func()) // on another goroutine
	writeFailed(err error)  // reports the error to the actor
}

// post queues a message of size bytes and starts the writer. It returns ErrQueueFull or ErrClosed, with f still the
// caller's, if that is impossible.
func (o *outbox) post(f *frame, size int) error {
	o.mu.Lock()
	if err := o.admitPost(f, size); err != nil {
		o.mu.Unlock()
		return err
	}
	start := o.queue(f) && o.start(o)
	o.mu.Unlock()
	if start {
		o.host.startWriter(o.work)
	}
	return nil
}

// admitPost charges a message of size bytes that is going to be queued, or returns ErrQueueFull or ErrClosed. o.mu is
// held.
func (o *outbox) admitPost(f *frame, size int) error {
	switch {
	case o.closed, o.refusing:
		return ErrClosed
	case o.messages >= o.node.Limits.QueueMessages, o.messages > 0 && o.count+size > o.node.Limits.QueueBytes:
		return ErrQueueFull
	case !o.charge(size, o.messages == 0):
		return errPoolFull
	}
	f.charged = size
	o.posted, o.resting = true, false
	return nil
}

// refuse makes post fail from now on. Queued messages are still sent.
func (o *outbox) refuse() { o.setRefusing(true) }

// accept makes post succeed from now on.
func (o *outbox) accept() { o.setRefusing(false) }

func (o *outbox) setRefusing(refusing bool) {
	o.mu.Lock()
	o.refusing = refusing
	o.mu.Unlock()
}

// attach gives the outbox its socket, once.
func (o *outbox) attach(s *socket.Conn) {
	o.mu.Lock()
	o.socket = s
	o.mu.Unlock()
}

// speak sets the format of all frames after those of the handshake, once.
func (o *outbox) speak(c codec) {
	o.mu.Lock()
	o.codec = c
	o.mu.Unlock()
}

// push queues a frame of the connection itself, without regard to the limits of the queue. The writer starts at the end
// of the mailbox run, if the queue is deferred. Only for the connection's actor.
func (o *outbox) push(f *frame) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		o.node.frames.put(f)
		return
	}
	f.own, f.charged = true, len(f.data)
	o.charge(f.charged, true)
	o.own++
	o.flushing = o.flushing || f.closeWith != nil && !f.ordered
	start := o.queue(f) && o.due(o)
	o.mu.Unlock()
	if start {
		o.host.startWriter(o.work)
	}
}

// queue adds a charged frame to the queue. It reports whether the writer has to look at it: a frame that waits for the
// peer's rate limit needs no writer yet. The caller holds o.mu.
func (o *outbox) queue(f *frame) bool {
	o.messages++
	if o.hold(f) {
		return false
	}
	o.waiting = outbounds.append(o.waiting, f)
	o.bytes += len(f.data)
	return true
}

// rest lets the codec rest until the next message of a sender, if there was none since the last call. The connection's
// own pings wake it for one write.
func (o *outbox) rest() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.resting, o.posted = !o.posted && o.codec != nil, false
	if o.resting && !o.running {
		o.codec.restSending()
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
	o.settle()
	o.closed = true
	waiting := join(o.stopPacing(), o.waiting)
	o.waiting, o.socket = nil, nil // a program may keep the handle for long
	o.mu.Unlock()
	if waiting != nil {
		o.complete(waiting.items, 0, err)
	}
}

// admit implements worker.
func (o *outbox) admit(taken *batch[*frame], again bool) *batch[*frame] {
	taken = o.pace(taken)
	if o.writing, o.sending = o.socket, o.codec; taken == nil {
		if o.resting {
			o.codec.restSending()
		}
		o.writing, o.sending = nil, nil
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
			o.complete(batch[resolved:], 0, errExited)
		}
	}()
	s.Cork(o.node.Writers.alone())
	for next := 0; next < len(batch); {
		n, size, err := o.send(s, batch[next:])
		next, corked = next+n, corked+size
		full := corked >= flushAt || n > 1 && corked >= flushAt/2 // two full records would outgrow the kept buffers
		if last := next == len(batch); err == nil && (last || full) {
			err = s.Flush(last, o.progressed)
			if err == nil {
				o.complete(batch[resolved:next], corked, nil)
				resolved, corked = next, 0
				if !last {
					o.progressed()
				}
			}
		}
		if err != nil {
			returned = true
			o.complete(batch[resolved:], 0, err)
			return err
		}
	}
	returned = true
	return nil
}

// send writes the first of the frames as one WebSocket message. It returns their number and the size of the message.
func (o *outbox) send(s *socket.Conn, frames []*frame) (n, size int, err error) {
	switch f := frames[0]; {
	case len(f.data) == 0: // the last frame may be a close without data
		return 1, 0, nil
	case f.text:
		return 1, len(f.data), s.Write(f.data, true)
	default:
		return o.sending.send(s, frames)
	}
}

// progressed records that the writer makes progress. A slow writer differs from a blocked one by that.
func (o *outbox) progressed() {
	o.mu.Lock()
	o.since = o.node.Running.Now()
	o.mu.Unlock()
}
