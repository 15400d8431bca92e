package runclock

import (
	"context"
	"sync"
	"time"
)

// Timer calls a function once after a time on the running clock. Safe for concurrent use.
type Timer struct {
	clock *Clock
	call  func()

	mu    sync.Mutex
	timer *time.Timer
	due   time.Time // on the running clock
	armed bool
}

// AfterFunc calls call on its own goroutine after d on the clock. With a nil clock it uses real time.
func (c *Clock) AfterFunc(d time.Duration, call func()) *Timer {
	t := &Timer{clock: c, call: call}
	t.Reset(d)
	return t
}

// Reset sets the timer to d from now, also after it has fired or was stopped.
func (t *Timer) Reset(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due, t.armed = t.clock.Now().Add(d), true
	if t.timer == nil {
		t.timer = time.AfterFunc(d, t.fire)
		return
	}
	t.timer.Reset(d)
}

// Stop prevents the call unless it has begun.
func (t *Timer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.armed = false
	t.timer.Stop()
}

func (t *Timer) fire() {
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

// WithTimeout returns a context that ends after d on the clock, with the cause context.DeadlineExceeded and the error
// context.Canceled. It has no Deadline, since that moves. The caller must call cancel.
func (c *Clock) WithTimeout(
	parent context.Context, d time.Duration,
) (within context.Context, cancel context.CancelFunc) {
	within, end := context.WithCancelCause(parent)
	timer := c.AfterFunc(d, func() { end(context.DeadlineExceeded) })
	return within, func() {
		timer.Stop()
		end(nil)
	}
}
