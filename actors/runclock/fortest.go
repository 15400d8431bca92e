package runclock

import "time"

// FreezeForTest keeps the pulse of a started clock back until resume is called, as a standstill of the process does. For
// tests and simulations only: the timers of the process go on.
func FreezeForTest(c *Clock) (resume func()) {
	for {
		c.mu.Lock()
		stopped := c.timer.Stop()
		c.mu.Unlock()
		if stopped {
			return c.beat
		}
		time.Sleep(time.Microsecond) // the pulse is about to set the timer again
	}
}
