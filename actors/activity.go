package actors

import "sync"

// Activity runs jobs and counts the running ones, so that a caller can wait for their end with a timeout and leave no
// goroutine behind. The zero value starts a goroutine per job. Safe for concurrent use.
type Activity struct {
	Workers *Workers // fixed before the first job; nil: a new goroutine per job

	mu      sync.Mutex
	running int
	idle    chan struct{} // closed when no job runs; nil until a caller waits
}

// Go runs a job on another goroutine.
func (a *Activity) Go(run func()) {
	if a == nil {
		go run()
		return
	}
	a.add()
	a.Workers.start(job{run: run, activity: a})
}

// run runs a job on the calling goroutine.
func (a *Activity) run(run func()) {
	a.add()
	defer a.done()
	run()
}

func (a *Activity) add() {
	a.mu.Lock()
	a.running++
	a.mu.Unlock()
}

// alone reports whether at most one job runs.
func (a *Activity) alone() bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.running <= 1
}

func (a *Activity) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running--; a.running == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

// Idle returns a channel that is closed as soon as no job runs.
func (a *Activity) Idle() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running == 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if a.idle == nil {
		a.idle = make(chan struct{})
	}
	return a.idle
}
