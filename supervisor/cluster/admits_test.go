package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// The members together admit as many connections as Options.MaxConns, except within one heartbeat.
func TestMembersShareALimitOfConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.maxConns = 5
		m.members("a", "b")
		a, b := m.hosts["a"], m.hosts["b"]
		for i := range 8 {
			m.peer(fmt.Sprintf("peer%d", i), []string{[]string{"a", "b"}[i%2]})
			m.pass(time.Second)
		}
		if n := a.ConnectedPeers() + b.ConnectedPeers(); n != 5 {
			t.Errorf("%d peers at both members, want 5", n)
		}
		a.kill(false)
		m.pass(2 * time.Minute)
		if n := b.ConnectedPeers(); n != 4 {
			t.Errorf("%d peers at the member that is left, want all 4 that dial it", n)
		}
	})
}

// A member with Options.RefuseAlone admits no new peer while the other one is gone; its peers stay.
func TestLoneMemberRefusesPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.refuseAlone = true
		a := m.member("a")
		m.peer("early", []string{"a"})
		m.pass(10 * time.Second)
		if n := a.ConnectedPeers(); n != 0 {
			t.Fatalf("%d peers at a member that is alone, want 0", n)
		}
		b := m.member("b")
		m.pass(2 * time.Minute)
		if n := a.ConnectedPeers(); n != 1 {
			t.Fatalf("%d peers beside another member, want 1", n)
		}
		b.kill(true)
		m.pass(3 * time.Second)
		m.peer("late", []string{"a"})
		m.pass(2 * time.Minute)
		if n := a.ConnectedPeers(); n != 1 {
			t.Errorf("%d peers after the other member was lost, want the 1 of before", n)
		}
	})
}
