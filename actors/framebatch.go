package actors

import (
	"log/slog"
	"sync"

	"github.com/Snider/go-p2p/actors/socket"
)

// maxBatchFrames is the largest number of frames in one batch, one for each bit of frameBatch.text.
const maxBatchFrames = 64

// maxBatchBytes is the capacity in bytes of the buffers that a recycled batch keeps. Larger buffers of one peer are
// freed, and small frames do not accumulate large buffers. It fits a few records of a session: buffers that are freed
// grow again, which costs more than opening them.
const maxBatchBytes = 256 << 10

// frameBatch is the frames of one system call on their way from the read pump to the actor. It keeps the buffers of
// earlier frames, so that most frames need no buffer from a pool.
type frameBatch struct {
	buffers [][]byte // the first n contain a frame each, the others are free
	n       int
	text    uint64 // bit i: frame i is a WebSocket text message
}

// frameBatches recycles batches.
var frameBatches = sync.Pool{New: func() any { return new(frameBatch) }}

// frames returns the frames of the batch.
func (b *frameBatch) frames() [][]byte { return b.buffers[:b.n] }

// LogValue implements slog.LogValuer: an actor system logs undelivered messages, and this one is large.
func (b *frameBatch) LogValue() slog.Value { return slog.StringValue("frames") }

// isText reports whether frame i is a WebSocket text message.
func (b *frameBatch) isText(i int) bool { return b.text>>i&1 != 0 }

// add appends a frame and returns a free buffer, or nil.
func (b *frameBatch) add(data []byte, text bool) (spare []byte) {
	if text {
		b.text |= 1 << b.n
	}
	if b.n == len(b.buffers) {
		b.buffers = append(b.buffers, data)
	} else {
		spare, b.buffers[b.n] = b.buffers[b.n], data
	}
	b.n++
	return spare
}

// keep takes over a free buffer.
func (b *frameBatch) keep(spare []byte) {
	if spare != nil && len(b.buffers) <= maxBatchFrames {
		b.buffers = append(b.buffers, spare)
	}
}

// take returns an empty buffer: a free one of the batch, or a new one.
func (b *frameBatch) take() []byte {
	last := len(b.buffers) - 1
	if last < b.n {
		return make([]byte, 0, socket.MinBuffer)
	}
	spare := b.buffers[last]
	b.buffers[last], b.buffers = nil, b.buffers[:last]
	return spare[:0]
}

// done recycles the batch. The caller and the receivers of its frames no longer use them.
func (b *frameBatch) done() {
	kept, size := b.buffers[:0], 0
	for _, buffer := range b.buffers {
		if size+cap(buffer) <= maxBatchBytes {
			kept, size = append(kept, buffer), size+cap(buffer)
		}
	}
	clear(b.buffers[len(kept):])
	b.buffers, b.n, b.text = kept, 0, 0
	frameBatches.Put(b)
}
