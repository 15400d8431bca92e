package runclock

import (
	"sync"
	"sync/atomic"
	"time"
)

// A pulse measures standstill of the process: a timer every 100 ms. A pulse that is more than 50 ms late shows that
// the process did not run. After a standstill of at least 500 ms the running clock stops for another 100 ms, in which
// the process reads the data that arrived meanwhile.
//
//	real time      0     100    200 ── SIGSTOP ── 4200   4300   4400
//	pulse          |      |      |                  |      |      |
//	running clock  0     100    200 . . . . . . .  350    350    450
const (
	pulseEvery     = 100 * time.Millisecond
	pulseTolerance = 50 * time.Millisecond
	freezeAtLeast  = 500 * time.Millisecond
	catchUp        = 100 * time.Millisecond // less than pulseEvery + pulseTolerance: the clock always advances
)

// standstill is the pure core of Clock: the standstill until the latest pulse, and the rule for the time after it. The
// lost time never decreases, and never grows faster than time.
type standstill struct {
	pulse time.Time     // time of the latest pulse
	lost  time.Duration // standstill before it
	grace time.Duration // after it, to catch up
}

// lostAt returns the standstill up to now.
func (s standstill) lostAt(now time.Time) time.Duration {
	gap := now.Sub(s.pulse)
	return s.lost + max(min(s.grace, gap), 0) + max(gap-pulseEvery-pulseTolerance, 0)
}

// steady reports whether the process runs and has caught up after the last freeze.
func (s standstill) steady(now time.Time) bool {
	gap := now.Sub(s.pulse)
	return (s.grace == 0 || gap >= s.grace) && gap-pulseEvery-pulseTolerance < freezeAtLeast
}

// next returns the state after a pulse at now.
func (s standstill) next(now time.Time) standstill {
	gap := now.Sub(s.pulse)
	after := standstill{pulse: now, lost: s.lostAt(now), grace: max(s.grace-gap, 0)}
	if gap-pulseEvery-pulseTolerance >= freezeAtLeast {
		after.grace = catchUp
	}
	return after
}

// Clock measures the time in which this process was running: monotonic time without the standstill by SIGSTOP, a
// paused virtual machine or starvation. All timeouts of peers use it, since data of a peer may wait unread in a socket
// after a standstill. Its resolution is 150 ms: a shorter standstill counts as running.
//
// A nil clock, and one that was not started, measure no standstill. Safe for concurrent use.
type Clock struct {
	state atomic.Pointer[standstill] // nil until Start; written by the pulse only

	mu      sync.Mutex
	timer   *time.Timer // nil until Start
	stopped bool
}

// Start starts the pulse. It does nothing on a second call and after Stop.
func (c *Clock) Start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil || c.stopped {
		return
	}
	c.state.Store(&standstill{pulse: time.Now()})
	c.timer = time.AfterFunc(pulseEvery, c.beat)
}

// Stop stops the pulse. The clock stands still from then on.
func (c *Clock) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	if c.timer != nil {
		c.timer.Stop()
	}
}

// beat handles one pulse.
func (c *Clock) beat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return
	}
	next := c.state.Load().next(time.Now())
	c.state.Store(&next)
	c.timer.Reset(pulseEvery)
}

// Lost returns the standstill from Start until now.
func (c *Clock) Lost(now time.Time) time.Duration {
	if c == nil {
		return 0
	}
	s := c.state.Load()
	if s == nil {
		return 0
	}
	return s.lostAt(now)
}

// At returns the running clock's time at now: now minus the standstill before it. The difference of two such times is
// the time in which the process ran. Do not compare them with time.Now.
func (c *Clock) At(now time.Time) time.Time { return now.Add(-c.Lost(now)) }

// Left returns a lower bound of the time until due, a time of this clock. A timeout may be executed if it is 0 or
// less. After a freeze it is at least 100 ms even if due has passed, so that waiting data is read first.
func (c *Clock) Left(now, due time.Time) time.Duration {
	left := due.Sub(c.At(now))
	if left <= 0 && c != nil {
		if s := c.state.Load(); s != nil && !s.steady(now) {
			return catchUp
		}
	}
	return left
}

// Now returns the running clock's current time.
func (c *Clock) Now() time.Time { return c.At(time.Now()) }
