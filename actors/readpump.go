package actors

import (
	"errors"
	"sync"
	"time"

	"github.com/Snider/go-p2p/actors/socket"
)

// A connection is busy after busyAfter system calls in a row that each brought data within idleAfter of the one
// before.
const (
	busyAfter = 16
	idleAfter = time.Second
)

// readPump reads whole messages and posts them to the actor. The frames of one system call are posted together, before
// the next system call.
//
// A goroutine's stack stays about as large as its deepest call, and the call that reads a message is deep. For an idle
// connection that stack would be the largest cost. So if the socket can wait for data without reading it, the pump's
// own goroutine only waits, and a worker reads:
//
//	idle:  pump waits (small stack) ──data──▶ worker reads until the socket is drained ──▶ pump waits
//	busy:  pump waits ──data──▶ pump reads itself: no switch to a worker and back
//	idle again after 1 s: a new goroutine with a small stack replaces the pump's
type readPump struct {
	socket  *socket.Conn
	budget  *budget
	node    *Node
	handle  *Handle     // receives the frames
	pending *frameBatch // not posted yet; it may contain free buffers only
	spare   []byte      // for the next frame; nil: pending may have one
	reading sync.WaitGroup
	last    time.Time // time of the last data
	streak  int32     // system calls in a row with data within idleAfter, at most busyAfter
	ended   bool
	ackNext bool // the next message is a responder's ack
}

// run is the goroutine of the pump, from the start or from the end of a busy period on.
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

// loop reads until the socket ends, or until a new goroutine replaces this one.
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

// burst reads until the socket is drained.
func (r *readPump) burst() {
	for r.next(); !r.ended && !r.socket.Drained(); r.next() {
	}
	r.flush()
	r.socket.LiftDeadline()
}

// workerBurst is burst on a worker.
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

// abortedByExit ends the pump if the network connection has called runtime.Goexit.
func (r *readPump) abortedByExit() {
	if !r.ended {
		r.end(errExited)
	}
}

// next reads one message. If the budget is closed it discards the message: unread bytes would reset the TCP connection
// and destroy the disconnect message that is being sent. The end of the socket ends the pump.
func (r *readPump) next() {
	if r.budget.full() {
		r.flush() // pending holds part of the budget: without this the pump would wait for itself
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
	if r.ackNext { // messages behind the ack may have full size, even before Welcome arrives
		r.ackNext = false
		r.socket.SetReadLimit(r.node.Limits.readLimit(r.node.Limits.Session.Offer))
	}
	if !taken {
		r.node.Counters.Inc(MessagesAfterGoodbye)
		r.spare = data
		return
	}
	r.budget.take(len(data))
	r.spare = r.batch().add(data, r.socket.Text())
	if r.pending.n == maxBatchFrames {
		r.flush()
	}
}

// batch returns the batch for the next frame.
func (r *readPump) batch() *frameBatch {
	if r.pending == nil {
		r.pending = frameBatches.Get().(*frameBatch)
	}
	return r.pending
}

// buffer returns an empty buffer for the next frame. No posted batch refers to it.
func (r *readPump) buffer() []byte {
	spare := r.spare
	if r.spare = nil; spare == nil {
		return r.batch().take()
	}
	return spare[:0]
}

// flush posts the pending batch. The socket calls it before each system call that reads.
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
		r.socket.CloseForViolation()
	}
	r.handle.tell(&readEnded{err: err})
}
