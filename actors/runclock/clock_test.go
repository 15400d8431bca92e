package runclock

import (
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

func TestStandstillIsMeasuredByPulses(t *testing.T) {
	tests := []struct {
		name   string
		pulses []time.Duration // since the one before
		after  time.Duration   // since the last pulse
		lost   time.Duration
	}{
		{"regular", []time.Duration{100 * ms, 100 * ms, 100 * ms}, 50 * ms, 0},
		{"late within the tolerance", []time.Duration{150 * ms, 140 * ms}, 150 * ms, 0},
		{"late", []time.Duration{100 * ms, 250 * ms, 100 * ms}, 0, 100 * ms},
		{"late without end", []time.Duration{300 * ms, 300 * ms, 300 * ms}, 300 * ms, 600 * ms},
		{"in a standstill", []time.Duration{100 * ms}, 4 * time.Second, 3850 * ms},
		{"right after a standstill", []time.Duration{100 * ms, 4 * time.Second}, 0, 3850 * ms},
		{"catching up", []time.Duration{100 * ms, 4 * time.Second}, 60 * ms, 3910 * ms},
		{"caught up", []time.Duration{100 * ms, 4 * time.Second, 100 * ms, 100 * ms}, 100 * ms, 3950 * ms},
		{"caught up in two pulses", []time.Duration{4 * time.Second, 70 * ms, 100 * ms}, 0, 3950 * ms},
		{"two standstills", []time.Duration{2 * time.Second, 100 * ms, 2 * time.Second, 100 * ms}, 0, 3900 * ms},
		{"standstill while catching up", []time.Duration{time.Second, time.Second, 100 * ms}, 0, 1900 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := time.Now()
			s := standstill{pulse: now}
			var before time.Duration
			step := func(d time.Duration) {
				for range int(d / ms) { // never backwards, never faster than time
					now = now.Add(ms)
					if lost := s.lostAt(now); lost < before || lost > before+ms {
						t.Fatalf("lost %v, 1 ms later %v", before, lost)
					} else {
						before = lost
					}
				}
			}
			for _, d := range tt.pulses {
				step(d)
				s = s.next(now)
				if lost := s.lostAt(now); lost != before {
					t.Fatalf("a pulse changes %v to %v", before, lost)
				}
			}
			step(tt.after)
			if before != tt.lost {
				t.Errorf("lost %v, want %v", before, tt.lost)
			}
		})
	}
}

func TestTimeoutWaitsForCatchUp(t *testing.T) {
	begun := time.Now()
	for _, tt := range []struct {
		name   string
		grace  time.Duration
		gap    time.Duration // since the last pulse
		due    time.Duration // on the running clock, since the last pulse
		atOnce bool
	}{
		{"on time", 0, 120 * ms, 120 * ms, true},
		{"late", 0, 400 * ms, 120 * ms, true},
		{"in a freeze", 0, 4 * time.Second, 120 * ms, false},
		{"in a freeze, not due", 0, 4 * time.Second, 200 * ms, false},
		{"catching up", 100 * ms, 50 * ms, -10 * ms, false},
		{"caught up", 100 * ms, 100 * ms, -10 * ms, true},
	} {
		c := &Clock{}
		c.state.Store(&standstill{pulse: begun, grace: tt.grace})
		left := c.Left(begun.Add(tt.gap), begun.Add(tt.due))
		if (left <= 0) != tt.atOnce {
			t.Errorf("%s: %v left, executed at once: want %v", tt.name, left, tt.atOnce)
		}
	}
}

func TestClockRunsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var none *Clock
		now := time.Now()
		if none.Lost(now) != 0 || !none.At(now).Equal(now) {
			t.Error("a nil clock knows of a standstill")
		}
		var c Clock
		time.Sleep(time.Hour)
		if lost := c.Lost(time.Now()); lost != 0 {
			t.Errorf("a clock that was not started lost %v", lost)
		}
		c.Start()
		c.Start()
		defer c.Stop()
		for range 3 {
			time.Sleep(time.Hour + 77*ms)
			if lost := c.Lost(time.Now()); lost != 0 {
				t.Errorf("an hour without a standstill lost %v", lost)
			}
		}
	})
}

func TestClockStandsStillWithoutPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Clock{}
		c.Start()
		time.Sleep(time.Second + ms) // the standstill begins 1 ms after a pulse
		resume := FreezeForTest(c)
		began := c.Now()
		time.Sleep(time.Minute)
		if ran := c.Now().Sub(began); ran != 149*ms {
			t.Errorf("ran for %v in a standstill, want 149ms", ran)
		}
		resume()
		time.Sleep(time.Second)
		if ran := c.Now().Sub(began); ran != 1049*ms {
			t.Errorf("ran for %v in a second after a standstill, want 1.049s", ran)
		}
		c.Stop()
		c.Start()
		time.Sleep(time.Second)
		if ran := c.Now().Sub(began); ran > 1200*ms {
			t.Errorf("ran for %v after its end", ran)
		}
	})
}
