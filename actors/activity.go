package actors

import "sync"

// Activity counts what is running, so that an end can be waited for without a goroutine that waits for ever when it
// does not come. The zero value counts nothing. Safe for concurrent use.
type Activity struct {
	mu      sync.Mutex
	running int
	idle    chan struct{} // made when somebody waits, closed at zero
}

func (a *Activity) begin() {
	a.mu.Lock()
	a.running++
	a.mu.Unlock()
}

func (a *Activity) end() {
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
