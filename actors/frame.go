package actors

import (
	"sync"

	"github.com/Snider/go-p2p/actors/socket"
)

// maxPooled is the capacity in bytes of the largest frame buffer that is kept for reuse.
const maxPooled = 64 << 10

// frame is the buffer of one outbound message on its whole way: the sender encodes into it, the outbox queues it, the
// writer seals it in place and writes it. It has one owner at a time. The owner that writes or drops it returns it to
// the pool.
type frame struct {
	data      []byte
	charged   int                 // bytes that it occupies in the outbox
	own       bool                // of the connection itself: beside the limits of the queue and the peer's rate limit
	result    Result              // nil: no caller waits
	closeWith *socket.CloseStatus // close the socket behind this frame; nil: it is not the last frame
	text      bool                // a WebSocket text message
	// unpaced: it does not wait for the peer's rate limit. Set by the sender.
	unpaced bool
	// ordered: it stays behind the messages that wait for the peer's rate limit and does not flush them, although it is of
	// the connection itself.
	ordered bool
}

// resolve reports the result of the frame to the waiting caller, if there is one.
func (f *frame) resolve(err error) {
	if f.result != nil {
		f.result.Resolve(err)
	}
}

// Result receives the result of one message. The values of a type must be comparable, and different for each message.
type Result interface {
	// Resolve is called once: with nil when the operating system has accepted the message, otherwise with an error of
	// Handle.Send. It runs on any goroutine and must not wait. It may call Handles.
	Resolve(err error)
}

// resultChan is a Result with a buffer of one.
type resultChan chan error

// Resolve implements Result.
func (c resultChan) Resolve(err error) { c <- err }

// buffers recycles frames.
type buffers struct{ pool sync.Pool }

// get returns an empty frame with a capacity of at least size bytes.
func (b *buffers) get(size int) *frame {
	f, ok := b.pool.Get().(*frame)
	if !ok {
		f = &frame{}
	}
	if cap(f.data) < size {
		f.data = make([]byte, 0, max(size, socket.MinBuffer))
	}
	return f
}

// put recycles a frame.
func (b *buffers) put(f *frame) {
	if cap(f.data) <= maxPooled {
		*f = frame{data: f.data[:0]}
		b.pool.Put(f)
	}
}
