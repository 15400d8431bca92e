package actors

import (
	"log/slog"
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
	reserved  int                 // bytes reserved for it in the outbox; 0: none, it is of the connection itself
	size      int                 // bytes charged for a frame of the connection itself
	result    chan<- error        // has a buffer of one; nil: no caller waits
	closeWith *socket.CloseStatus // close the socket behind this frame; nil: it is not the last frame
	text      bool                // a WebSocket text message
	// unpaced: it does not wait for the peer's rate limit. Set by the sender.
	unpaced bool
	// ordered: it stays behind the messages that wait for the peer's rate limit and does not flush them, although no
	// bytes are reserved for it.
	ordered bool
}

// LogValue implements slog.LogValuer: an actor system logs undelivered messages, and this one may be secret.
func (*frame) LogValue() slog.Value { return slog.StringValue("a frame") }

// charged returns the bytes that the frame occupies in the outbox.
func (f *frame) charged() int {
	if f.reserved > 0 {
		return f.reserved
	}
	return f.size
}

// resolve reports the result of the frame to the waiting caller, if there is one.
func (f *frame) resolve(err error) {
	if f.result != nil {
		f.result <- err
	}
}

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
