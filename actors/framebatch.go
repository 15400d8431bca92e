package actors

import (
	"log/slog"
	"sync"

	"github.com/Snider/go-p2p/actors/socket"
)

// maxBatchFrames is the largest number of frames in one batch.
const maxBatchFrames = 64

// maxBatchBytes is the capacity in bytes of the buffers that a recycled batch keeps. Larger buffers of one peer are
// freed, and small frames do not accumulate large buffers.
const maxBatchBytes = 64 << 10

// frameBatch is the frames of one system call on their way from the read pump to the actor. It keeps the buffers of
// earlier frames, so that most frames need no buffer from a pool.
type frameBatch struct {
	buffers [][]byte // the first n contain a frame each, the others are free
	n       int
}

// frameBatches recycles batches.
var frameBatches = sync.Pool{New: func() any { return new(frameBatch) }}

// frames returns the frames of the batch.
func (a *frameBatch) frames() [][]byte { return a.buffers[:a.n] }

// LogValue implements slog.LogValuer: an actor system logs undelivered messages, and this one is large.
func (a *frameBatch) LogValue() slog.Value { return slog.StringValue("frames") }

// add appends a frame and returns a free buffer, or nil.
func (a *frameBatch) add(data []byte) (spare []byte) {
	if a.n == len(a.buffers) {
		a.buffers = append(a.buffers, data)
	} else {
		spare, a.buffers[a.n] = a.buffers[a.n], data
	}
	a.n++
	return spare
}

// keep takes over a free buffer.
func (a *frameBatch) keep(spare []byte) {
	if spare != nil && len(a.buffers) <= maxBatchFrames {
		a.buffers = append(a.buffers, spare)
	}
}

// take returns an empty buffer: a free one of the batch, or a new one.
func (a *frameBatch) take() []byte {
	last := len(a.buffers) - 1
	if last < a.n {
		return make([]byte, 0, socket.MinBuffer)
	}
	spare := a.buffers[last]
	a.buffers[last], a.buffers = nil, a.buffers[:last]
	return spare[:0]
}

// done recycles the batch. The caller and the receivers of its frames no longer use them.
func (a *frameBatch) done() {
	kept, room := a.buffers[:0], 0
	for _, buffer := range a.buffers {
		if room+cap(buffer) <= maxBatchBytes {
			kept, room = append(kept, buffer), room+cap(buffer)
		}
	}
	clear(a.buffers[len(kept):])
	a.buffers, a.n = kept, 0
	frameBatches.Put(a)
}
