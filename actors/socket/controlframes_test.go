package socket

import (
	"testing"
	"testing/synctest"
	"time"
)

// Pings and pongs above the limit pause the reader: 1,100 of them take a second. Below the limit none waits.
func TestControlFramesAboveTheLimitPauseTheReading(t *testing.T) {
	for name, frame := range map[string]func(*controlFrames){
		"ping": func(c *controlFrames) { c.onPing(t.Context(), nil) },
		"pong": func(c *controlFrames) { c.onPong(t.Context(), nil) },
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			c := &controlFrames{}
			for range controlRate.burst {
				frame(c)
			}
			if took := time.Since(began); took != 0 {
				t.Errorf("%s: %d take %v, want no pause", name, controlRate.burst, took)
			}
			for range 1000 {
				frame(c)
			}
			if took := time.Since(began); took < 900*time.Millisecond || took > time.Second {
				t.Errorf("%s: 1000 above the limit take %v, want 0.9 to 1 s", name, took)
			}
		})
	}
}

// A flood gets only the pongs of the bucket.
func TestControlFramesLimitPongs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, pongs := &controlFrames{}, 0
		for range 100 {
			if c.onPing(t.Context(), nil) {
				pongs++
			}
		}
		if pongs != pongRate.burst {
			t.Errorf("100 pings draw %d pongs, want %d", pongs, pongRate.burst)
		}
	})
}
