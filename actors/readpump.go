package actors

import (
	"errors"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors/socket"
)

// A connection is busy when this many times in a row something came within restAfter.
const (
	busyAfter = 16
	idleAfter = time.Second
)

// readPump reads whole messages and posts them. It knows the socket, the budget and where to post, and nothing of what it reads.
//
// A goroutine's stack stays about as large as its deepest call has made it, and what reads a message is deep: for an
// idle connection that would be the largest cost. So where the socket lets it, the pump's own goroutine only waits, and
// the reading is done by workers. That costs two switches each time: on a busy connection it reads for itself, and when
// there is quiet again a fresh goroutine takes its place.
//
// What one system call has brought is posted together, before the next one.
type readPump struct {
	socket  *socket.Conn
	budget  *budget
	node    *Node
	handle  *Handle     // to post to
	pending *frameBatch // not posted yet; it may hold nothing but buffers
	spare   []byte      // a buffer for the next frame; nil: came may have one
	reading sync.WaitGroup
	last    time.Time // when something came
	streak  int32     // how often in a row it came soon, as far as that matters
	ended   bool
	ackNext bool // the next message is a responder's ack
}

// run is the pump's goroutine, from the beginning of the socket or of a quiet time on.
func (r *readPump) run() {
	returned := false
	defer func() {
		if !returned {
			r.abortedByExit()
			r.socket.Release()
		}
	}()
	r.loop()
	returned = true
}

// loop reads until the end of the socket, or until a fresh goroutine takes its place.
func (r *readPump) loop() {
	if r.node.Readers == nil || !r.socket.CanWait() {
		for !r.ended {
			r.next()
		}
	}
	aside := r.workerBurst
	for !r.ended {
		r.socket.WaitReadable()
		wasBusy := r.busy()
		r.note(time.Now())
		switch {
		case !wasBusy:
			r.reading.Add(1)
			r.node.Readers.start(job{run: aside})
			r.reading.Wait()
		case r.busy():
			r.burst()
		default:
			r.node.Spawn(r.run)
			return
		}
	}
	r.socket.Release()
}

func (r *readPump) busy() bool { return r.streak >= busyAfter }

func (r *readPump) note(now time.Time) {
	r.streak = min(r.streak+1, busyAfter)
	if now.Sub(r.last) >= idleAfter {
		r.streak = 0
	}
	r.last = now
}

// burst reads until nothing is left of what has come.
func (r *readPump) burst() {
	for r.next(); !r.ended && !r.socket.Drained(); r.next() {
	}
	r.flush()
	r.socket.LiftDeadline()
}

// aside is burst for a worker.
func (r *readPump) workerBurst() {
	defer r.reading.Done()
	returned := false
	defer func() {
		if !returned {
			r.abortedByExit()
		}
	}()
	r.burst()
	returned = true
}

// exited ends the reading when the network connection has ended the goroutine.
func (r *readPump) abortedByExit() {
	if !r.ended {
		r.end(errExited)
	}
}

// next reads one message. When the budget is closed it goes on reading and throws away, so that the goodbye on the way
// out is not lost to a reset by bytes that nobody read; the closing of the socket ends it.
func (r *readPump) next() {
	if r.budget.full() {
		r.flush() // or we might wait for what we hold ourselves
	}
	taken := r.budget.wait()
	if err := r.socket.Await(); err != nil {
		r.end(err)
		return
	}
	data, err := r.socket.Read(r.buffer())
	if err != nil {
		r.end(err)
		return
	}
	if r.ackNext { // messages behind the ack have the full limit, also before Welcome
		r.ackNext = false
		r.socket.SetReadLimit(r.node.Limits.MaxMessageSize)
	}
	if !taken {
		r.node.Counters.Inc(MessagesAfterGoodbye)
		r.spare = data
		return
	}
	r.budget.take(len(data))
	r.spare = r.batch().add(data)
	if r.pending.n == maxBatchFrames {
		r.flush()
	}
}

// arrival is what the next frame goes into.
func (r *readPump) batch() *frameBatch {
	if r.pending == nil {
		r.pending = frameBatches.Get().(*frameBatch)
	}
	return r.pending
}

// buffer is an empty one for the next frame, and nobody else's: what has come may be posted while it is filled.
func (r *readPump) buffer() []byte {
	spare := r.spare
	if r.spare = nil; spare == nil {
		return r.batch().take()
	}
	return spare[:0]
}

// flush posts what has come. It is also called before each system call that reads.
func (r *readPump) flush() {
	if r.pending == nil {
		return
	}
	r.pending.keep(r.spare)
	if r.spare = nil; r.pending.n == 0 {
		r.pending.done()
	} else {
		r.handle.tell(r.pending)
	}
	r.pending = nil
}

func (r *readPump) end(err error) {
	r.ended = true
	r.flush()
	if errors.Is(err, socket.ErrProtocol) {
		// The library answers most violations with a close frame, but not an unmasked frame, and a corked one waits. A
		// second close frame is discarded by the peer.
		r.socket.CloseForViolation()
	}
	r.handle.tell(&readEnded{err: err})
}
