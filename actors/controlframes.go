package actors

import (
	"context"
	"time"
)

// Limits of WebSocket control frames, which pass by every limit of messages.
const (
	pongBurst  = 10 // pongs that a flood of pings can draw from us
	pongRefill = 1  // pongs per second

	controlBurst  = 100              // pings and pongs of the peer that are read at once
	controlRefill = 50               // pings and pongs per second
	controlPause  = time.Millisecond // of the reading, for each control frame above the limit
)

// controlFrames limits the control frames of one connection. A ping costs the peer 6 bytes and us 1.5 µs: above the limit
// the reading goroutine pauses, so that a flood waits in the peer's socket. Owned by that goroutine.
type controlFrames struct {
	frames *PeerRateLimiter // nil before the first control frame: most connections have none
	pongs  *PeerRateLimiter
}

// onPing reports whether a ping is answered.
func (c *controlFrames) onPing(context.Context, []byte) bool {
	now := c.read()
	return c.pongs.Take(now)
}

func (c *controlFrames) onPong(context.Context, []byte) { c.read() }

// read counts one frame, pauses if it is above the limit, and returns the time.
func (c *controlFrames) read() time.Time {
	now := time.Now()
	if c.frames == nil {
		c.frames = NewPeerRateLimiter(controlBurst, controlRefill, now)
		c.pongs = NewPeerRateLimiter(pongBurst, pongRefill, now)
	}
	if !c.frames.Take(now) {
		time.Sleep(controlPause)
	}
	return now
}
