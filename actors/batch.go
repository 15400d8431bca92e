package actors

import "sync"

// mostKept is how many items a batch that is kept for reuse has room for: what a queue of the usual limits holds. One that
// is thrown away has to grow again each time, and leaves all its sizes to the garbage collector.
const mostKept = 4096

// batch is what a queue hands over at once.
type batch[T any] struct{ items []T }

// batches recycles batches. A queue without anything in it has none, so the queues of an idle connection take no room.
type batches[T any] struct{ pool sync.Pool }

// append adds an item to a batch, which may be nil.
func (p *batches[T]) append(to *batch[T], item T) *batch[T] {
	if to == nil {
		var ok bool
		if to, ok = p.pool.Get().(*batch[T]); !ok {
			to = &batch[T]{}
		}
	}
	to.items = append(to.items, item)
	return to
}

// put takes a batch back that is done with.
func (p *batches[T]) put(done *batch[T]) {
	clear(done.items)
	if done.items = done.items[:0]; cap(done.items) <= mostKept {
		p.pool.Put(done)
	}
}
