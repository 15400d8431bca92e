package actors

import "sync"

// maxPooled is the largest frame buffer that is kept for reuse: one peer's megabyte must not stay for ever.
const maxPooled = 64 << 10

// frame is a buffer that a WebSocket message travels in. It has one owner at a time: who drops or writes it gives it
// back. As a message to a connection's actor it is one that was read.
type frame struct{ data []byte }

// buffers recycles frames.
type buffers struct{ pool sync.Pool }

// get returns an empty frame with room for size bytes, or more.
func (b *buffers) get(size int) *frame {
	f, ok := b.pool.Get().(*frame)
	if !ok {
		f = &frame{}
	}
	if cap(f.data) < size {
		f.data = make([]byte, 0, max(size, 1024))
	}
	f.data = f.data[:0]
	return f
}

// put takes a frame back. It may be nil.
func (b *buffers) put(f *frame) {
	if f == nil || cap(f.data) > maxPooled {
		return
	}
	b.pool.Put(f)
}
