package cluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// The clocks of the members differ by up to two hours. After a member was killed, the next home refuses messages that
// the peer stamped before, and delivers messages that the peer stamps afterwards.
func TestPeerOfAKilledMemberIsHeardDespiteClocks(t *testing.T) {
	for name, at := range map[string]string{"ahead": "b", "behind": "c"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMesh(t, 1)
				m.host("b").skew, m.host("c").skew = time.Hour, -time.Hour
				m.members("a", "b", "c")
				p := m.peer("peer", []string{"a"})
				m.pass(time.Second)
				first, late := authored(p.id(), "first"), authored(p.id(), "late")
				p.relay(first)
				m.wantDelivered("first", 1)
				m.hosts["a"].kill(false)
				p.stop()
				p = m.peer("peer", []string{at})
				m.pass(5 * time.Second)
				m.check()
				p.relay(first)
				p.relay(late)
				p.relay(authored(p.id(), "second"))
				m.wantDelivered("first", 1)
				m.wantDelivered("late", 0)
				m.wantDelivered("second", 1)
				m.wantCount(at, actors.MessagesStale, 2)
			})
		})
	}
}
