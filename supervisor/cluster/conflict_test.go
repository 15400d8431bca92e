package cluster_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// conflicts returns the reports of a host that an identity is in use on two hosts.
func (h *host) conflicts() (list []supervisor.IdentityConflict) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if c, is := e.(supervisor.IdentityConflict); is {
			list = append(list, c)
		}
	}
	return list
}

// closedAs reports whether a peer has closed a connection to this host for a reason.
func (h *host) closedAs(reason string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.events, func(e supervisor.Event) bool {
		down, is := e.(supervisor.PeerDown)
		return is && down.Remote && down.Reason == reason
	})
}

// startCopy starts a host with the key of a peer.
func (m *mesh) startCopy(h *host, peer string, to ...string) *host {
	m.t.Helper()
	h.start(keysOf(peer), []func(*supervisor.TransportConfig){func(c *supervisor.TransportConfig) {
		for _, member := range to {
			c.Peers = append(c.Peers, m.host(member).address())
		}
	}})
	return h
}

// Two hosts with one key are connected to different members. The home reports the conflict as a single node does, and
// the copy learns the reason.
func TestIdentityInUseAtTwoMembersIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.members("a", "b")
		p := m.peer("peer", []string{"a"})
		m.pass(time.Minute)
		c := m.startCopy(m.host("copy"), "peer", "b")
		m.pass(40 * time.Second)
		a, b := m.hosts["a"], m.hosts["b"]
		want := []string{p.ip, c.ip}
		got := a.conflicts()
		if len(got) != 1 || got[0].Peer != p.id() || got[0].Unproven || !slices.Equal(got[0].Addresses, want) {
			t.Errorf("the home reports %+v, want one conflict of %q", got, want)
		}
		if more := b.conflicts(); len(more) != 0 {
			t.Errorf("the other member reports %+v", more)
		}
		if !c.closedAs(actors.ReasonIdentityInUse) {
			t.Error("no close tells the copy that its identity is in use from another address")
		}
		m.pass(2 * time.Minute)
		if got := a.conflicts(); len(got) < 2 {
			t.Errorf("%d reports after three minutes: it is repeated", len(got))
		}
	})
}

// A peer that moves from host to host and from member to member is no conflict: its old connections answer no probe.
func TestPeerThatMovesBetweenMembersIsNoConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.members("a", "b")
		p := m.peer("peer", []string{"a"})
		m.pass(20 * time.Second)
		now := p
		for i := range 4 {
			now.net.Crash(true)
			now.up = false
			next := m.host(fmt.Sprint("peer at host ", i))
			now = m.startCopy(next, "peer", []string{"b", "a"}[i%2])
			m.pass(15 * time.Second)
		}
		for _, member := range m.running() {
			if got := member.conflicts(); len(got) != 0 {
				t.Errorf("%s reports %+v", member.name, got)
			}
		}
		if homes := m.homes(keysOf("peer").Identity().ID); len(homes) != 1 {
			t.Errorf("homes %q, want one", homes)
		}
		now.stop()
		for _, h := range m.hosts {
			if h.engine == nil && h != now {
				_ = h.StopContext(t.Context())
			}
		}
	})
}

// Copies of a deployed node stay connected, each to another member, and are reported as unproven. Connections from one
// host are no conflict.
func TestDeployedIdentityInUseAtFourMembersIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.members("a", "b", "c", "d")
		a, id := m.hosts["a"], keysOf("old").Identity().ID
		d := m.deployed("old", "a", "b", "c", "d")
		if got := a.conflicts(); len(got) != 0 {
			t.Errorf("one host: %+v", got)
		}
		for _, c := range d.Conns(nodeID())[1:] {
			c.Close()
		}
		m.pass(time.Second)
		for i, member := range []string{"b", "c", "d"} {
			m.deployedAt(fmt.Sprint("10.0.9.", i), "old", member)
		}
		got := a.conflicts()
		want := []string{"10.0.9.0", "10.0.9.1", "10.0.9.2", "10.0.9.9"}
		if len(got) != 1 || got[0].Peer != id || !got[0].Unproven || !slices.Equal(got[0].Addresses, want) {
			t.Errorf("the home reports %+v, want one unproven conflict of %q", got, want)
		}
		if homes := m.homes(id); !slices.Equal(homes, []string{"a"}) {
			t.Errorf("homes %q, want a", homes)
		}
	})
}
