package actors

import (
	"math/rand/v2"
	"testing"
	"time"
)

// take takes n tokens at one moment and returns how many were available.
func take(l *PeerRateLimiter, n int, now time.Time) (got int) {
	for range n {
		if l.Take(now) {
			got++
		}
	}
	return got
}

func TestLimiterAdmitsExactly(t *testing.T) {
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

// Of a steady stream at twice the refill exactly half passes, however small the intervals.
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
		// The bucket holds one token, so at least as many of 500 pass as fit the grid of intervals.
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

func TestLimiterOffAdmitsAll(t *testing.T) {
	now := time.Unix(1000, 0)
	l := NewPeerRateLimiter(1, 0, now)
	if got := take(l, 10_000, now); got != 10_000 {
		t.Errorf("%d of 10000 passed with the limit off", got)
	}
}

// A changed rate keeps the number of spent tokens, up and down.
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

// Frames that a peer sent during a standstill arrive at once. They are admitted beyond the burst, once.
func TestLimiterCreditsStandstillOnce(t *testing.T) {
	start := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		spent     int
		idle      time.Duration // before the standstill
		lost      time.Duration
		later     time.Duration // between the standstill and the burst
		want      int
		wantAgain int // a second later
	}{
		"full bucket":               {0, 0, 18 * time.Second, 0, 1000, 50},
		"empty bucket":              {100, 0, 18 * time.Second, 0, 900, 50},
		"shorter than the refill":   {100, 0, time.Second, 0, 50, 50},
		"no standstill":             {0, time.Hour, 0, 0, 100, 50},
		"idle before":               {0, time.Hour, 2 * time.Second, 0, 200, 50},
		"more lost than passed":     {0, time.Second, 0, 0, 100, 50},
		"half of it unused for 8 s": {0, 0, 2 * time.Second, 8 * time.Second, 150, 50},
		"unused for 16 s":           {0, 0, 2 * time.Second, 16 * time.Second, 100, 50},
	} {
		t.Run(name, func(t *testing.T) {
			l := NewPeerRateLimiter(100, 50, start)
			take(l, c.spent, start)
			now := start.Add(c.idle + c.lost)
			lost := c.lost
			if name == "more lost than passed" {
				l.Take(start)
				lost, c.want = time.Hour, 149
			}
			l.Credit(now, lost)
			l.Credit(now, lost) // two connections that share the bucket
			now = now.Add(c.later)
			if got := take(l, 5000, now); got != c.want {
				t.Errorf("%d passed after the standstill, want %d", got, c.want)
			}
			if got := take(l, 5000, now.Add(time.Second)); got != c.wantAgain {
				t.Errorf("%d passed a second later, want %d", got, c.wantAgain)
			}
		})
	}
}

// With any credit, a flood gets at most burst + time × refill.
func TestLimiterCreditKeepsTheAverage(t *testing.T) {
	start := time.Unix(1000, 0)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		now, l := start, NewPeerRateLimiter(100, 50, start)
		passed := 0
		for range 100 {
			now = now.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
			if random.IntN(3) == 0 {
				l.Credit(now, time.Duration(random.IntN(5000))*time.Millisecond)
			}
			if random.IntN(2) == 0 {
				passed += take(l, random.IntN(500), now)
			}
		}
		if most := 100 + 50*now.Sub(start).Seconds(); float64(passed) > most {
			t.Fatalf("%d passed in %v, at most %.1f may", passed, now.Sub(start), most)
		}
	}
}

func TestLimiterIsLimitedToTokens(t *testing.T) {
	now := time.Now()
	l := NewPeerRateLimiter(10, 1, now)
	l.Credit(now.Add(5*time.Second), 5*time.Second)
	now = now.Add(5 * time.Second)
	for _, step := range []struct{ limit, want float64 }{{20, 10}, {2.5, 2.5}, {7, 2.5}, {-1, 0}} {
		if l.Limit(step.limit, now); l.Tokens(now) != step.want {
			t.Errorf("limited to %v: %v tokens, want %v", step.limit, l.Tokens(now), step.want)
		}
	}
	if l.Take(now) {
		t.Error("credit was kept")
	}
	if got := l.Tokens(now.Add(3 * time.Second)); got != 3 {
		t.Errorf("%v tokens 3 s later, want 3", got)
	}
}
