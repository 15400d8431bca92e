package cluster_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestPeerHasOneHomeAmongThreeMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.members("a", "b", "c")
		p := m.peer("peer", []string{"a", "b", "c"})
		m.pass(time.Minute)
		m.check()
		if n := len(p.eventsOf(nodeID())); n == 0 {
			t.Error("the peer knows nothing of the node")
		}
		for _, h := range m.running() {
			want := 0
			if slices.Equal(m.homes(p.id()), []string{h.name}) {
				want = 1
			}
			if n := h.ConnectedPeers(); n != want {
				t.Errorf("%s has %d peers, want %d", h.name, n, want)
			}
		}
	})
}

// A peer knows two members. When its home is killed, the other one becomes its home.
func TestPeerOfAKilledMemberMoves(t *testing.T) {
	for _, powerLoss := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := newMesh(t, 1)
			a, b := m.member("a"), m.member("b")
			p := m.peer("peer", []string{"a"})
			m.pass(time.Second)
			m.check()
			p.stop()
			p = m.peer("peer", []string{"a", "b"})
			m.pass(10 * time.Second)
			a.kill(powerLoss)
			within := 10 * time.Second
			if powerLoss {
				within += 40 * time.Second // the peer's silence limit
			}
			m.pass(within)
			m.check()
			if err := p.send(nodeID(), "still here"); err != nil {
				t.Error(err)
			}
			m.pass(time.Second)
			if got := b.messages(); !slices.Equal(got, []string{`"still here"`}) {
				t.Errorf("the other member received %q", got)
			}
		})
	}
}
