package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// Peers move between members, and members are killed, restarted, stopped and cut off, while another member broadcasts.
// Each peer that it knew as connected counts as sent or is named as failed. It gets the message once, or not at all if
// it is named, or if the member that has sent it was killed.
func TestBroadcastsDuringRandomMovesAccountForEachPeer(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*meshSeeds; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runCasts(t, seed) })
		})
	}
}

func runCasts(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 3))
	m := newMesh(t, seed)
	m.bus.Delay(0, time.Duration(1+random.IntN(100))*time.Millisecond)
	w := &meshFaults{mesh: m, random: random, members: []string{"a", "b", "c"}}
	m.members(w.members...)
	for i := range 6 {
		w.peers = append(w.peers, fmt.Sprintf("peer%d", i))
		w.startPeer(w.peers[i])
	}
	m.pass(5 * time.Second)
	for number := range 30 {
		w.members = []string{"a", "b"}
		loses := false
		for range 1 + random.IntN(3) {
			what, kills := w.stepCast()
			loses = loses || kills
			w.log = append(w.log, fmt.Sprintf("%d: %s", number, what))
			m.pass(time.Duration(random.IntN(400)) * time.Millisecond)
		}
		w.castAndCheck(fmt.Sprintf("%q", fmt.Sprint(number)), fmt.Sprint(number), loses)
		w.members = []string{"a", "b", "c"}
		m.bus.HealAll()
		w.restart("a")
		w.restart("b")
		m.pass(time.Duration(1+random.IntN(5)) * time.Second)
		if t.Failed() {
			break
		}
	}
	if t.Failed() {
		t.Logf("seed %d:\n%s", seed, joined(w.log))
	}
}

// stepCast does one random thing and describes it. kills: messages that were sent may be lost.
func (w *meshFaults) stepCast() (what string, kills bool) {
	m, a, p := w.mesh, w.some(w.members), w.some(w.peers)
	switch n := w.random.IntN(100); {
	case n < 10 && a.up && len(m.running()) > 2:
		a.kill(w.random.IntN(2) == 0)
		return a.name + " is killed", true
	case n < 15 && a.up && len(m.running()) > 2:
		go a.stop()
		m.pass(time.Duration(w.random.IntN(300)) * time.Millisecond)
		return a.name + " stops", true
	case n < 25:
		m.bus.Cut("c", a.name, true)
		return "bus c to " + a.name + " cut", false
	case n < 60 && a.up:
		w.connect(p, a)
		return fmt.Sprintf("%s dials %s", p.name, a.name), false
	default:
		for _, h := range m.running() {
			_ = h.Disconnect(w.mesh.t.Context(), p.id(), false) // most are not the home
		}
		return p.name + " is disconnected", true
	}
}

// castAndCheck broadcasts from c.
func (w *meshFaults) castAndCheck(payload, text string, loses bool) {
	m, c := w.mesh, w.mesh.hosts["c"]
	held := map[string]string{}
	for _, name := range w.peers {
		id := m.hosts[name].id()
		if home, known := c.engine.Home(id); known {
			held[id] = home
		}
	}
	began := time.Now()
	sum := c.cast(text)
	took := time.Since(began)
	m.pass(5 * time.Second)
	named := map[string]bool{}
	for _, f := range sum.Failed {
		if named[f.Peer] {
			m.t.Errorf("%s: %s is named twice", text, f.Peer)
		}
		named[f.Peer] = true
	}
	unnamed := 0
	for _, name := range w.peers {
		p := m.hosts[name]
		got := 0
		for _, one := range p.messages() {
			if one == payload {
				got++
			}
		}
		home, connected := held[p.id()]
		if connected && !named[p.id()] {
			unnamed++
		}
		if got > 1 || got == 0 && connected && !named[p.id()] && !loses {
			m.t.Errorf("%s: %s at %s got it %d times and is not named: %+v", text, name, home, got, sum)
		}
	}
	if sum.Sent < unnamed || sum.Sent+len(sum.Failed) > len(w.peers) || sum.Refused != nil || took > 3*time.Second {
		m.t.Errorf("%s: result %+v after %v: %d peers of %d are not named", text, sum, took, unnamed, len(held))
	}
	w.log = append(w.log, fmt.Sprintf("%s: %d sent, %d failed, %d held", text, sum.Sent, len(sum.Failed), len(held)))
}
