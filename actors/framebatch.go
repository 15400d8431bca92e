package actors

import (
	"log/slog"
	"sync"

	"github.com/Snider/go-p2p/actors/socket"
)

// mostTogether is how many frames are posted at once.
const maxBatchFrames = 64

// mostRoom is how many bytes the buffers have together that an arrival keeps: one peer's megabytes must not stay for ever,
// nor must large buffers gather where small frames come.
const maxBatchBytes = 64 << 10

// arrival is the frames that one system call has brought, on their way from the read pump to the actor. It keeps the
// buffers of those that it brought before, so that nobody has to fetch and give back one for each frame.
type frameBatch struct {
	buffers [][]byte // the first n hold a frame each
	n       int
}

// arrivals recycles arrivals.
var frameBatches = sync.Pool{New: func() any { return new(frameBatch) }}

// frames are those that came.
func (a *frameBatch) frames() [][]byte { return a.buffers[:a.n] }

// LogValue implements slog.LogValuer: an actor system logs what it cannot deliver, and this is long.
func (a *frameBatch) LogValue() slog.Value { return slog.StringValue("frames") }

// add takes a frame in and returns a buffer for another one, or nil.
func (a *frameBatch) add(data []byte) (spare []byte) {
	if a.n == len(a.buffers) {
		a.buffers = append(a.buffers, data)
	} else {
		spare, a.buffers[a.n] = a.buffers[a.n], data
	}
	a.n++
	return spare
}

// keep takes a buffer in that holds nothing.
func (a *frameBatch) keep(spare []byte) {
	if spare != nil && len(a.buffers) <= maxBatchFrames {
		a.buffers = append(a.buffers, spare)
	}
}

// take returns an empty buffer, one of those that hold nothing if there is any.
func (a *frameBatch) take() []byte {
	last := len(a.buffers) - 1
	if last < a.n {
		return make([]byte, 0, socket.MinBuffer)
	}
	spare := a.buffers[last]
	a.buffers[last], a.buffers = nil, a.buffers[:last]
	return spare[:0]
}

// done recycles an arrival whose frames nobody needs any more.
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
