package runclock

import "time"

// FreezeForTest stops the pulse of a started clock until resume is called, like a standstill of the process. For tests
// and simulations only: the timers of the process continue.
func FreezeForTest(c *Clock) (resume func()) {
	for {
		c.mu.Lock()
		stopped := c.timer.Stop()
		c.mu.Unlock()
		if stopped {
			return c.beat
		}
		time.Sleep(time.Microsecond) // beat is running: wait until the timer is set
	}
}
