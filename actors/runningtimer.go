package actors

import (
	"context"
	"sync"
	"time"
)

// RunningTimer calls a function once after a time on the running clock. Safe for concurrent use.
type RunningTimer struct {
	clock *RunningClock
	call  func()

	mu    sync.Mutex
	timer *time.Timer
	due   time.Time // on the running clock
	armed bool
}

// AfterFunc calls call on a goroutine of its own after d on the clock. The timer of a nil clock is one of real time.
func (c *RunningClock) AfterFunc(d time.Duration, call func()) *RunningTimer {
	t := &RunningTimer{clock: c, call: call}
	t.Reset(d)
	return t
}

// Reset sets the timer to d from now, also after it fired or was stopped.
func (t *RunningTimer) Reset(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due, t.armed = t.clock.Now().Add(d), true
	if t.timer == nil {
		t.timer = time.AfterFunc(d, t.fire)
		return
	}
	t.timer.Reset(d)
}

// Stop prevents the call, unless it has begun.
func (t *RunningTimer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed = false
	t.timer.Stop()
}

func (t *RunningTimer) fire() {
	t.mu.Lock()
	left := t.clock.Left(time.Now(), t.due)
	due := t.armed && left <= 0
	if t.armed && !due {
		t.timer.Reset(left)
	}
	t.armed = t.armed && !due
	t.mu.Unlock()
	if due {
		t.call()
	}
}

// WithTimeout returns a context that ends after d on the clock. Its cause is context.DeadlineExceeded then, its error
// context.Canceled, and it shows no deadline, since that moves. The caller must call cancel.
func (c *RunningClock) WithTimeout(parent context.Context, d time.Duration) (within context.Context, cancel context.CancelFunc) {
	within, end := context.WithCancelCause(parent)
	timer := c.AfterFunc(d, func() { end(context.DeadlineExceeded) })
	return within, func() {
		timer.Stop()
		end(nil)
	}
}
