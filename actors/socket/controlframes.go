package socket

import (
	"context"
	"time"
)

// Limits of WebSocket control frames, which no limit of messages covers.
var (
	pongRate    = rate{burst: 10, every: time.Second}            // pongs that a flood of pings can draw from this node
	controlRate = rate{burst: 100, every: 20 * time.Millisecond} // pings and pongs of the peer that are read
)

// controlPause is how long the reader pauses for each control frame above controlRate.
const controlPause = time.Millisecond

// controlFrames limits the control frames of one connection. A ping costs the peer 6 bytes and this node 1.5 µs: above
// the limit the reader pauses, so that a flood waits in the peer's socket. Owned by the reader.
type controlFrames struct{ frames, pongs rateState }

// onPing reports whether a ping is answered.
func (c *controlFrames) onPing(context.Context, []byte) bool { return c.pongs.take(pongRate, c.read()) }

func (c *controlFrames) onPong(context.Context, []byte) { c.read() }

// read counts one frame, pauses if it is above the limit, and returns the time.
func (c *controlFrames) read() time.Time {
	now := time.Now()
	if !c.frames.take(controlRate, now) {
		time.Sleep(controlPause)
	}
	return now
}

// rate allows burst events at once and one per interval afterwards.
type rate struct {
	burst int
	every time.Duration
}

// rateState is the state of a rate: the time at which all events until now are paid for, at one per interval. It is a
// token bucket with one field: the time until then, divided by the interval, is the number of tokens that are missing.
type rateState struct{ paid time.Time }

// take reports whether an event at now is within the rate, and counts it if so.
func (s *rateState) take(r rate, now time.Time) bool {
	if s.paid.Before(now) {
		s.paid = now
	}
	if s.paid.Sub(now) > time.Duration(r.burst-1)*r.every {
		return false
	}
	s.paid = s.paid.Add(r.every)
	return true
}
