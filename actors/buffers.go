package actors

import "sync"

// maxPooled is the largest frame buffer that is kept for reuse: one peer's megabyte must not stay for ever.
const maxPooled = 64 << 10

// buffers recycles the byte slices that frames travel in. A frame has one owner at a time; who drops or writes it
// gives it back.
type buffers struct{ pool sync.Pool }

// get returns an empty slice with room for size bytes, or more.
func (b *buffers) get(size int) []byte {
	if held, ok := b.pool.Get().(*[]byte); ok && cap(*held) >= size {
		return (*held)[:0]
	}
	return make([]byte, 0, max(size, 1024))
}

func (b *buffers) put(buf []byte) {
	if cap(buf) == 0 || cap(buf) > maxPooled {
		return
	}
	b.pool.Put(&buf)
}
