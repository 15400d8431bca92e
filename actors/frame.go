package actors

import (
	"log/slog"
	"sync"

	"github.com/Snider/go-p2p/actors/socket"
)

// maxPooled is the largest frame buffer that is kept for reuse: one peer's megabyte must not stay for ever.
const maxPooled = 64 << 10

// frame is a buffer that an outbound message travels in, the same all the way: from the sender, who leaves the escaped
// text where the body will be, through the actor, which seals it in place, and the outbox to the socket. It has one owner
// at a time: who drops or writes it gives it back.
type frame struct {
	data      []byte
	reserved  int                 // what is reserved for it in the outbox; 0: nothing, it is counted with its length
	result    chan<- error        // has room for the one answer; nil: nobody waits
	closeWith *socket.CloseStatus // the socket is closed after it; nil: it is not the last one
	text      bool                // a WebSocket text message
	// unpaced: it does not wait for the peer's rate limit. Set by the sender.
	unpaced bool
	// inTurn: it waits behind the messages that wait for the peer's rate limit, and does not flush them, although no room is
	// reserved for it.
	ordered bool
}

// LogValue implements slog.LogValuer: an actor system logs what it cannot deliver, and this may be a secret.
func (*frame) LogValue() slog.Value { return slog.StringValue("a frame") }

// counted is what the frame takes of the outbox's room.
func (f *frame) charged() int {
	if f.reserved > 0 {
		return f.reserved
	}
	return len(f.data)
}

// done tells whoever waits what became of the frame.
func (f *frame) resolve(err error) {
	if f.result != nil {
		f.result <- err
	}
}

// buffers recycles frames.
type buffers struct{ pool sync.Pool }

// get returns an empty frame with room for size bytes, or more.
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

// put takes a frame back.
func (b *buffers) put(f *frame) {
	if cap(f.data) <= maxPooled {
		*f = frame{data: f.data[:0]}
		b.pool.Put(f)
	}
}
