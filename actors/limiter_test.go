package actors

import (
	"testing"
	"time"
)

// take takes n tokens at one moment and returns how many it got.
func take(l *PeerRateLimiter, n int, now time.Time) (got int) {
	for range n {
		if l.Take(now) {
			got++
		}
	}
	return got
}

func TestLimiterExact(t *testing.T) {
	start := time.Unix(1000, 0)
	l := NewPeerRateLimiter(100, 50, start)
	steps := []struct {
		after time.Duration
		want  int
	}{
		{0, 100},
		{0, 0},
		{time.Second, 50},
		{time.Second + 19*time.Millisecond, 0}, // 0.95 of a token
		{time.Second + 20*time.Millisecond, 1}, // the fraction was kept
		{time.Hour, 100},                       // never more than the burst
		{time.Minute, 0},                       // a clock that goes back gives nothing
		{time.Hour + time.Second, 50},
	}
	for _, step := range steps {
		if got := take(l, 150, start.Add(step.after)); got != step.want {
			t.Errorf("150 at %v: %d passed, want %d", step.after, got, step.want)
		}
	}
}

// A steady stream at twice the refill gets exactly half through, however finely time is cut.
func TestLimiterCountsFractions(t *testing.T) {
	for _, every := range []time.Duration{10 * time.Millisecond, 3 * time.Millisecond, 700 * time.Microsecond} {
		now := time.Unix(1000, 0)
		l := NewPeerRateLimiter(1, 50, now)
		l.Take(now)
		passed := 0
		for end := now.Add(10 * time.Second); now.Before(end); {
			now = now.Add(every)
			if l.Take(now) {
				passed++
			}
		}
		// One token is held at most, so of 500 at least those must pass that fit the grid of arrivals.
		perToken := (20*time.Millisecond + every - 1) / every * every
		if least := int(10 * time.Second / perToken); passed < least || passed > 500 {
			t.Errorf("every %v: %d passed in 10 s, want %d to 500", every, passed, least)
		}
	}
	now := time.Unix(1000, 0)
	l := NewPeerRateLimiter(100, 50, now)
	take(l, 100, now)
	passed := 0
	for i := range 1000 {
		passed += take(l, 1, now.Add(time.Duration(i+1)*10*time.Millisecond))
	}
	if passed < 499 || passed > 500 {
		t.Errorf("100 a second for 10 s at a refill of 50: %d passed, want 500", passed)
	}
}

func TestLimiterOff(t *testing.T) {
	now := time.Unix(1000, 0)
	l := NewPeerRateLimiter(1, 0, now)
	if got := take(l, 10_000, now); got != 10_000 {
		t.Errorf("%d of 10000 passed with the limit off", got)
	}
}

// A changed rate keeps the tokens that were spent as spent, in either direction.
func TestLimiterSetRateKeepsSpentTokens(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		spent, burst, refill float64
		want, wantLater      int // at once, and one second later
	}{
		"raised":                  {5, 1000, 1000, 995, 1000},
		"lowered":                 {5, 8, 1, 3, 1},
		"lowered below the spent": {90, 10, 2, 0, 2},
		"switched off":            {100, 1, 0, 5000, 5000},
	} {
		l := NewPeerRateLimiter(100, 50, now)
		take(l, int(c.spent), now)
		l.SetRate(c.burst, c.refill, now)
		if got := take(l, 5000, now); got != c.want {
			t.Errorf("%s: %d passed at once, want %d", name, got, c.want)
		}
		if got := take(l, 5000, now.Add(time.Second)); got != c.wantLater {
			t.Errorf("%s: %d passed after a second, want %d", name, got, c.wantLater)
		}
	}
}

func TestLimiterReportsFull(t *testing.T) {
	now := time.Unix(1000, 0)
	l := NewPeerRateLimiter(100, 50, now)
	take(l, 50, now)
	if l.Full(now.Add(999 * time.Millisecond)) {
		t.Error("full before the refill is done")
	}
	if !l.Full(now.Add(time.Second)) {
		t.Error("not full after the refill")
	}
}
