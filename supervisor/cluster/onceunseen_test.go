package cluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// A member was killed before the home of a peer joined, and no other one knows that the peer was connected: the home
// refuses messages that the peer stamped before.
func TestPeerOfAMemberKilledBeforeTheJoinIsHeardOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.members("a", "b")
		p := m.peer("peer", []string{"a"})
		m.pass(time.Second)
		first, late := authored(p.id(), "first"), authored(p.id(), "late")
		p.relay(first)
		m.wantDelivered("first", 1)
		p.stop()
		m.hosts["a"].stop() // b has the entries
		m.member("c")
		m.pass(5 * time.Second)
		m.hosts["b"].kill(false)
		m.pass(5 * time.Second)
		m.member("d")
		p = m.peer("peer", []string{"d"})
		m.pass(5 * time.Second)
		m.check()
		p.relay(first)
		p.relay(late)
		p.relay(authored(p.id(), "second"))
		m.wantDelivered("first", 1)
		m.wantDelivered("late", 0)
		m.wantDelivered("second", 1)
		m.wantCount("d", actors.MessagesStale, 2)
	})
}
