package cluster

import (
	"testing"
	"testing/synctest"
	"time"
)

// Members tell each other the last crash with each heartbeat, and each takes it over from the others. Their delays do
// not add up: the crash ages.
func TestCrashAgesWhileMembersTellIt(t *testing.T) {
	const delay, rounds = 30 * time.Millisecond, 240
	synctest.Test(t, func(t *testing.T) {
		all := make([]*seen, 4)
		for i := range all {
			all[i] = newSeen(&member{name: "self", boot: 1}, newDirectory(&member{}))
			all[i].begin(ruleLocal{})
			all[i].clocks["teller"] = -delay
		}
		crash := time.Now()
		all[0].noteCrash(all[0].now("dead", 1))
		for range rounds {
			for _, teller := range all {
				age, ahead := teller.crashAge()
				time.Sleep(delay)
				for _, s := range all {
					if s != teller {
						s.heardCrash("teller", age, ahead)
					}
				}
				time.Sleep(beatEvery/4 - delay)
			}
		}
		for i, s := range all {
			later := s.crash.at.Sub(crash)
			if later > delay+time.Millisecond || s.crash.ahead < -delay {
				t.Errorf("member %d: the crash is %v later, the clock %v ahead", i, later, s.crash.ahead)
			}
		}
	})
}
