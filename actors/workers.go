package actors

import (
	"math"
	"runtime"
	"sync"
	"time"
)

// stuckAfter is how long jobs may wait without one of them being begun, until more goroutines are started for them.
const blockedAfter = time.Millisecond

// Workers run jobs on goroutines that are used again. Most of what a connection does is such a job: its actor's turn, a
// write, a delivery. A fresh goroutine for each would begin with a small stack and grow it every time, and a thousand at
// once, as a broadcast brings them, would each touch a stack of their own: both cost more than the job.
//
// So a few work at a time, and the other jobs wait in their order. Few jobs take long, but any may: when none of those
// that wait is begun for a moment, those that work are stuck, and as many again are started. Safe for concurrent use.
type Workers struct {
	maxIdle    int // that wait for a job
	maxWorking int // that work at a time, unless they are stuck

	mu           sync.Mutex
	idle         []chan job // the one that waits for the shortest time last
	working      int
	queued       fifo
	dequeued     uint64 // jobs that have waited and were begun
	lastDequeued uint64 // of those, when the timer was set
	timerSet     bool   // the timer is set
	closed       bool
}

type job struct {
	run        func()
	activity   *Activity   // that counts it; may be nil
	dispatcher *dispatcher // that has something to do after it; may be nil
	mailbox    *Workers    // run is an actor's turn, which these workers start again when it has not returned; may be nil
}

// NewWorkers returns workers of which at most most wait for a job.
func NewWorkers(most int) *Workers {
	return &Workers{maxIdle: most, maxWorking: 4 * runtime.GOMAXPROCS(0)}
}

// NewUnboundedWorkers returns workers for jobs that may wait at any time for a peer or for a program's handler: any number
// of them works at once, so that none holds up another.
func NewUnboundedWorkers(most int) *Workers { return &Workers{maxIdle: most, maxWorking: math.MaxInt} }

// Schedule implements actor.Dispatcher.
func (w *Workers) Schedule(run func()) { w.start(job{run: run, mailbox: w}) }

// Throughput implements actor.Dispatcher: how many messages an actor takes before it lets others run.
func (w *Workers) Throughput() int { return 300 }

func (w *Workers) start(j job) {
	if w == nil {
		go j.do()
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch last := len(w.idle) - 1; {
	case last >= 0:
		w.idle[last] <- j // has room for it
		w.idle = w.idle[:last]
		w.working++
	case w.working < w.maxWorking || w.closed:
		w.working++
		go w.work(j)
	default:
		w.queued.push(j)
		w.setTimer()
	}
}

// watch sets the timer, under the lock.
func (w *Workers) setTimer() {
	if !w.timerSet {
		w.timerSet, w.lastDequeued = true, w.dequeued
		time.AfterFunc(blockedAfter, w.checkBlocked)
	}
}

// look starts more goroutines when none of the jobs that wait was begun since the timer was set.
func (w *Workers) checkBlocked() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timerSet = false
	if w.dequeued == w.lastDequeued {
		for range min(w.queued.len(), w.working) {
			w.working++
			go w.work(w.dequeue())
		}
	}
	if w.queued.len() > 0 {
		w.setTimer()
	}
}

// next is the job that has waited for the longest time, under the lock.
func (w *Workers) dequeue() job {
	w.dequeued++
	return w.queued.pop()
}

// aside runs, inside a job, what may take long for reasons that are not ours: meanwhile the job counts as none, and the
// next one that waits is begun.
func (w *Workers) runBlocking(part *Activity, run func()) {
	w.mu.Lock()
	w.working--
	if w.queued.len() > 0 {
		w.working++
		go w.work(w.dequeue())
	}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.working++
		w.mu.Unlock()
	}()
	part.run(run)
}

// work does one job and then those that come. A job that ends the goroutine leaves its place to a queued job.
func (w *Workers) work(j job) {
	inbox := make(chan job, 1)
	inside := true
	defer func() {
		if inside {
			w.jobExited()
		}
	}()
	for {
		j.do()
		w.mu.Lock()
		if w.queued.len() > 0 {
			j = w.dequeue()
			w.mu.Unlock()
			continue
		}
		w.working--
		if w.closed || len(w.idle) >= w.maxIdle {
			inside = false
			w.mu.Unlock()
			return
		}
		w.idle = append(w.idle, inbox)
		w.mu.Unlock()
		var more bool
		if j, more = <-inbox; !more {
			inside = false
			return
		}
	}
}

// exited takes a goroutine off the count that a job has ended.
func (w *Workers) jobExited() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.working--
	if w.queued.len() > 0 {
		w.working++
		go w.work(w.dequeue())
	}
}

func (j job) do() {
	if j.activity != nil {
		defer j.activity.done()
	}
	if j.mailbox != nil {
		j.runMailbox()
	} else {
		j.run()
	}
	if j.dispatcher != nil {
		j.dispatcher.afterRun()
	}
}

// takeTurn runs an actor's turn. If the turn ends its goroutine, the actor's mailbox still counts as running, and nothing
// but the same turn, begun again, takes its messages.
func (j job) runMailbox() {
	returned := false
	defer func() {
		if !returned {
			j.mailbox.start(job{run: j.run, dispatcher: j.dispatcher, mailbox: j.mailbox})
		}
	}()
	j.run()
	returned = true
}

// Close ends the goroutines that wait, and each other one after its job. Jobs that come later still run.
func (w *Workers) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, inbox := range w.idle {
		close(inbox)
	}
	w.idle = nil
}
