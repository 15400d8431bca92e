package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

func TestGrantedClaimCarriesTheTokensLeft(t *testing.T) {
	inWorld(t, "a b", func(t *testing.T, w *world) {
		for _, step := range []struct {
			name   string
			moves  func()
			tokens float64
			age    time.Duration
		}{
			{"contest", func() {}, 7, 0},
			{"release", func() { w.members["a"].disconnect("peer"); time.Sleep(time.Second) }, 3, time.Second},
			{"kill", func() { w.kill("a") }, -1, 0},
		} {
			w.members["b"].disconnect("peer")
			settle()
			w.members["a"].connect("peer")
			settle()
			step.moves()
			v, _ := w.members["b"].connect("peer")
			if v.Tokens != step.tokens || v.Age < step.age-20*time.Millisecond || v.Age > step.age {
				t.Errorf("%s: %+v, want %v tokens, %v old", step.name, v, step.tokens, step.age)
			}
		}
	})
}

// A peer that moves gets no new burst: all members together accept the burst, and the refill of the time.
func TestPeerThatMovesKeepsItsBucket(t *testing.T) {
	const burst = 20
	slow := func(c *supervisor.TransportConfig) { c.RateBurst, c.RateRefill = burst, 0.001 }
	unpaced := func(c *supervisor.TransportConfig) { c.Session, c.Pacing = supervisor.SessionOff, supervisor.PacingOff }
	for _, way := range []string{"contest", "release"} {
		synctest.Test(t, func(t *testing.T) {
			m := newMesh(t, 1)
			a, b := m.member("a", slow), m.member("b", slow)
			p := m.peer("peer", []string{"a"}, unpaced)
			m.pass(time.Second)
			flood := func(name string, n int) {
				for i := range n {
					if err := p.send(nodeID(), fmt.Sprint(name, i)); err != nil {
						t.Error(err)
					}
				}
				m.pass(time.Second)
			}
			flood("first", burst/2)
			if got := len(a.messages()); got != burst/2 {
				t.Errorf("%s: %d of %d messages before the move", way, got, burst/2)
			}
			if way == "release" {
				p.stop()
			} else {
				p.kill(true)
			}
			p = m.peer("peer", []string{"b"}, unpaced)
			m.pass(30 * time.Second)
			m.check()
			flood("second", 2*burst)
			accepted := a.Counters()["messagesReceived"] + b.Counters()["messagesReceived"]
			if accepted != burst {
				t.Errorf("%s: both members accepted %d frames, want %d", way, accepted, burst)
			}
		})
	}
}
