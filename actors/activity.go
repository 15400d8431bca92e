package actors

import "sync"

// Activity runs jobs and counts those that run, so that their end can be waited for without a goroutine that waits for
// ever when it does not come. The zero value gives each job a goroutine of its own. Safe for concurrent use.
type Activity struct {
	Workers *Workers // fixed before the first job; nil: fresh goroutines

	mu      sync.Mutex
	running int
	idle    chan struct{} // made when somebody waits, closed at zero
}

// Go runs a job.
func (a *Activity) Go(run func()) {
	if a == nil {
		go run()
		return
	}
	a.add()
	a.Workers.start(job{run: run, activity: a})
}

// do runs a job here.
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

func (a *Activity) done() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running--; a.running == 0 && a.idle != nil {
		close(a.idle)
		a.idle = nil
	}
}

// Idle returns a channel that is closed as soon as nothing runs.
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
