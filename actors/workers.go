package actors

import (
	"math"
	"runtime"
	"sync"
	"time"
)

// blockedAfter is the time after which the workers count as blocked if no queued job has started.
const blockedAfter = time.Millisecond

// Workers run jobs on reused goroutines: mailbox runs of actors, writes and deliveries. A fresh goroutine per job
// would grow its stack each time, and 1,000 goroutines at once, as after a broadcast, would touch 1,000 stacks. Both
// cost more than the job itself.
//
// At most maxWorking jobs run at once; the other jobs are queued. A job may block without limit. If no queued job
// starts for 1 ms, assume all workers are blocked and start as many again:
//
//	maxWorking = 2      running   queued
//	start a, b, c       a b       c
//	1 ms passes         a b c               a and b are assumed to be blocked
//	a returns             b c               its goroutine waits in idle for the next job
//
// A job that calls runtime.Goexit costs its goroutine only: the next queued job gets a new one. Safe for concurrent
// use.
type Workers struct {
	maxIdle    int // goroutines that wait for a job
	maxWorking int // jobs that run at once, unless they are blocked

	mu           sync.Mutex
	idle         []chan job // channels of waiting goroutines; the last one has waited for the shortest time
	working      int
	queued       fifo
	dequeued     uint64 // number of queued jobs that have started
	lastDequeued uint64 // dequeued when the timer was set
	timerSet     bool   // checkBlocked is going to run
	closed       bool
}

type job struct {
	run        func()
	activity   *Activity   // counts the job; may be nil
	dispatcher *dispatcher // has pending work after the job; may be nil
	mailbox    *Workers    // set if run is a mailbox run: the workers that run it again if it has not returned
}

// NewWorkers returns workers that keep at most most idle goroutines and run four jobs per processor at once.
func NewWorkers(most int) *Workers {
	return &Workers{maxIdle: most, maxWorking: 4 * runtime.GOMAXPROCS(0)}
}

// NewUnboundedWorkers returns workers for jobs that may block on a peer or on a program's handler: any number of jobs
// runs at once. At most most idle goroutines are kept.
func NewUnboundedWorkers(most int) *Workers { return &Workers{maxIdle: most, maxWorking: math.MaxInt} }

// Schedule implements actor.Dispatcher.
func (w *Workers) Schedule(run func()) { w.start(job{run: run, mailbox: w}) }

// Throughput implements actor.Dispatcher. It returns the number of messages after which an actor yields.
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
		w.idle[last] <- j // never blocks: the channel has a buffer of one
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

// setTimer schedules checkBlocked. The caller holds mu.
func (w *Workers) setTimer() {
	if !w.timerSet {
		w.timerSet, w.lastDequeued = true, w.dequeued
		time.AfterFunc(blockedAfter, w.checkBlocked)
	}
}

// checkBlocked starts more goroutines if no queued job has started since the timer was set.
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

// dequeue returns the oldest queued job. The caller holds mu.
func (w *Workers) dequeue() job {
	w.dequeued++
	return w.queued.pop()
}

// runBlocking runs, inside a job, a function that may block on a peer or a handler. Meanwhile the job does not count
// as running, and the next queued job starts.
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

// work runs j and then further jobs. If a job ends the goroutine, a queued job gets a new one.
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

// jobExited removes the goroutine of a job that has ended it from the count of running jobs.
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

// runMailbox is a mailbox run. If the run ends its goroutine by runtime.Goexit, protoactor still regards the mailbox
// as running and never schedules it again. Only another call of the same function processes its messages.
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

// Close ends the idle goroutines, and each other goroutine after its job. Jobs that start later still run.
func (w *Workers) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, inbox := range w.idle {
		close(inbox)
	}
	w.idle = nil
}
