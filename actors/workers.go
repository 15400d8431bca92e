package actors

import "sync"

// Workers run short jobs on goroutines that are used again. Most of what a connection does is such a job: its actor's
// turn, a write, a delivery. A fresh goroutine for each would begin with a small stack and grow it every time, which
// costs more than the job. Any number of jobs runs at once; only how many goroutines wait for the next one is limited.
// Safe for concurrent use.
type Workers struct {
	most int

	mu     sync.Mutex
	idle   []chan job // the one that waits for the shortest time last
	closed bool
}

type job struct {
	run  func()
	part *Activity // that counts it; may be nil
}

// NewWorkers returns workers of which at most most wait for a job.
func NewWorkers(most int) *Workers { return &Workers{most: most} }

// Schedule implements actor.Dispatcher.
func (w *Workers) Schedule(run func()) { w.start(job{run: run}) }

// Throughput implements actor.Dispatcher: how many messages an actor takes before it lets others run.
func (w *Workers) Throughput() int { return 300 }

func (w *Workers) start(j job) {
	if w == nil {
		go j.do()
		return
	}
	w.mu.Lock()
	last := len(w.idle) - 1
	if last < 0 {
		w.mu.Unlock()
		go w.work(j)
		return
	}
	next := w.idle[last]
	w.idle = w.idle[:last]
	w.mu.Unlock()
	next <- j // has room for it
}

// work does one job and then those that come.
func (w *Workers) work(j job) {
	next := make(chan job, 1)
	for {
		j.do()
		w.mu.Lock()
		if w.closed || len(w.idle) >= w.most {
			w.mu.Unlock()
			return
		}
		w.idle = append(w.idle, next)
		w.mu.Unlock()
		var more bool
		if j, more = <-next; !more {
			return
		}
	}
}

func (j job) do() {
	if j.part != nil {
		defer j.part.end()
	}
	j.run()
}

// Close ends the goroutines that wait, and each other one after its job. Jobs that come later still run.
func (w *Workers) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, next := range w.idle {
		close(next)
	}
	w.idle = nil
}
