package actors

import "sync"

// workQueue is a FIFO whose worker goroutine exists only while there is work, so an idle connection has none. Its owner
// admits items (limits, accounting, order) and processes them; the queue decides when a worker runs.
//
//	push ──▶ waiting ──▶ admit ──▶ process      until admit returns nil: then the worker ends
//	             ▲                    │
//	             └── the next batch ──┘
//
// A deferred queue starts no worker for each item. The connection's dispatcher claims the work at the end of a mailbox
// run and does it on the same goroutine, which saves a wake-up per message. 64 KiB of waiting items start a worker at
// once.
//
// The methods that start a worker get the owner as a parameter, since a field for it would be a fifth of the state.
type workQueue[T any] struct {
	mu       sync.Mutex // guards the queue and the owner's accounting
	waiting  *batch[T]  // nil: empty
	bytes    int        // sum of the sizes of the waiting items
	work     func()     // runs the worker; made at its first start
	running  bool       // a worker runs, or a caller has been told to run one
	deferred bool       // claim starts the worker
}

// worker is the owner of a workQueue.
type worker[T any] interface {
	// begin is called before a worker starts, under the queue's lock.
	begin()
	// admit returns the items that the worker processes next, or nil to end it. taken are the items that have waited; it
	// may be nil. again is false for the first call of a worker. It is called under the queue's lock.
	admit(taken *batch[T], again bool) *batch[T]
	// process processes a batch from its next item on.
	process(b *batch[T])
	// exited is called if process has ended its goroutine by a panic or runtime.Goexit. The worker still counts as
	// running: exited runs another one with the rest of b, or the owner processes nothing any more.
	exited(b *batch[T])
	// recycle takes back a processed batch.
	recycle(b *batch[T])
}

// start marks the worker as running. It reports whether the caller has to run q.work. The caller holds mu.
func (q *workQueue[T]) start(w worker[T]) bool {
	if q.running {
		return false
	}
	w.begin()
	q.running = true
	if q.work == nil {
		q.work = func() { q.run(w, nil) }
	}
	return true
}

// due is start after an item was added to the queue.
func (q *workQueue[T]) due(w worker[T]) bool {
	return (!q.deferred || q.bytes >= flushAt) && q.start(w)
}

// claim is start if items wait. The caller does not hold mu.
func (q *workQueue[T]) claim(w worker[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting != nil && q.start(w)
}

// run is the worker. It processes b, which may be nil, and then batches until none is admitted.
func (q *workQueue[T]) run(w worker[T], b *batch[T]) {
	returned := false
	defer func() {
		if !returned {
			w.exited(b)
		}
	}()
	for again := b != nil; ; again = true {
		if b != nil {
			w.process(b)
			w.recycle(b)
		}
		q.mu.Lock()
		b = q.waiting
		q.waiting, q.bytes = nil, 0
		if b = w.admit(b, again); b == nil {
			q.running, returned = false, true
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
	}
}

// maxKept is the capacity of the largest batch that is kept for reuse, in items. It fits the small messages of the
// default inbound budget (2 MiB) and the default size of a queue: a smaller limit would make large batches grow from
// nothing each time.
const maxKept = 8192

// batch is the items that a worker takes from its queue at once.
type batch[T any] struct {
	items []T
	next  int // index of the next item to process
}

// batches recycles batches. An empty queue holds none, so the queues of an idle connection take no memory.
type batches[T any] struct{ pool sync.Pool }

// append adds an item to a batch, which may be nil. Its processed items, if they are most, give their space to it.
func (p *batches[T]) append(to *batch[T], item T) *batch[T] {
	if to == nil {
		var ok bool
		if to, ok = p.pool.Get().(*batch[T]); !ok {
			to = &batch[T]{}
		}
	}
	if len(to.items) == cap(to.items) {
		to.makeSpace()
	}
	to.items = append(to.items, item)
	return to
}

// makeSpace moves the items that wait to the start of the array if most are processed: a queue whose items are taken
// one by one may never be empty. Otherwise it doubles the array, since append alone would copy it more often.
func (b *batch[T]) makeSpace() {
	if b.next <= len(b.items)/2 {
		larger := make([]T, len(b.items), max(2*len(b.items), 8))
		copy(larger, b.items)
		b.items = larger
		return
	}
	n := copy(b.items, b.items[b.next:])
	clear(b.items[n:])
	b.items, b.next = b.items[:n], 0
}

// put recycles a batch that no goroutine uses any more.
func (p *batches[T]) put(done *batch[T]) {
	clear(done.items)
	done.items, done.next = done.items[:0], 0
	if cap(done.items) <= maxKept {
		p.pool.Put(done)
	}
}
