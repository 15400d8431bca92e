// Package lazychan has channels that are made at their first use: a channel takes 112 bytes, and an idle connection
// uses none of its own.
package lazychan

import "sync/atomic"

// Chan is a channel of empty values. The zero value is usable. It must not be copied. Safe for concurrent use.
type Chan struct{ made atomic.Pointer[chan struct{}] }

// Get returns the channel. The first call makes it, with a buffer of size values.
func (c *Chan) Get(size int) chan struct{} {
	if made := c.made.Load(); made != nil {
		return *made
	}
	made := make(chan struct{}, size)
	if c.made.CompareAndSwap(nil, &made) {
		return made
	}
	return *c.made.Load()
}

// Close closes the channel, also one that was not used yet. Only one call is allowed.
func (c *Chan) Close() { close(c.Get(0)) }
