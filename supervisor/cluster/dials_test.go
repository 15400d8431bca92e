package cluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// dialled returns the number of dials of all running members.
func (m *mesh) dialled() (sum uint64) {
	for _, h := range m.running() {
		sum += h.Counters()["dials"]
	}
	return sum
}

// configure makes all members keep an address connected.
func (m *mesh) configure(address string) {
	m.t.Helper()
	for _, h := range m.running() {
		cfg := supervisor.DefaultTransportConfig()
		cfg.ListenAddr, cfg.Peers = h.address(), []string{address}
		if _, _, err := h.Reconfigure(m.t.Context(), cfg); err != nil {
			m.t.Fatal(err)
		}
	}
}

// Each member has the same addresses in its configuration. One of them dials each; when it ends, another takes over.
func TestOneMemberDialsAConfiguredAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		p := m.peer("peer", nil)
		dials := func(c *supervisor.TransportConfig) { c.Peers = []string{p.address()} }
		m.members("a", "b", "c")
		m.configure(p.address())
		m.pass(time.Minute)
		m.check()
		if n := m.dialled(); n != 1 {
			t.Errorf("%d dials, want 1", n)
		}
		first := m.home(p)
		first.kill(false)
		m.pass(10 * time.Second)
		m.check()
		second := m.home(p)
		if n := m.dialled(); n != 1 {
			t.Errorf("%d dials of the others, want 1", n)
		}
		second.stop()
		m.pass(10 * time.Second)
		m.check()
		third := m.home(p)
		m.member(first.name, dials) // it is the one that dials again, but does not know yet which peer is at the address
		m.pass(time.Minute)
		m.check()
		if n := m.dialled(); n != 2 || m.home(p) != third {
			t.Errorf("%d dials, want 2; home %s, want %s as before", n, m.home(p).name, third.name)
		}
		m.checkEvents(p)
	})
}

// While a peer that has come by itself is connected, no member dials it. Then the one does that keeps its address.
func TestConnectedPeerIsNotDialled(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		p := m.peer("peer", []string{"a"})
		m.pass(10 * time.Second)
		m.configure(p.address() + "#" + p.id())
		m.pass(time.Minute)
		if n := m.dialled(); n != 0 {
			t.Errorf("%d dials of a connected peer, want none", n)
		}
		p.stop()
		m.pass(10 * time.Second)
		before := m.dialled()
		if before == 0 {
			t.Error("no dial of a peer that is kept connected")
		}
		m.peer("peer", nil)
		m.pass(time.Minute)
		m.check()
		dialling := 0
		for _, h := range m.running() {
			if h.Counters()["dials"] > 0 {
				dialling++
			}
		}
		if dialling != 1 {
			t.Errorf("%d members dialled, want 1", dialling)
		}
	})
}
