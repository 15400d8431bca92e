package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// The clocks of the members differ by up to two hours. Two homes of a peer are killed within one window, and started
// again: the next home delivers the messages that the peer stamps after it is connected there, and none twice.
func TestPeerOfTwoKilledMembersIsHeardDespiteClocks(t *testing.T) {
	for _, way := range []string{"abcd", "dbca", "bcad", "cbda", "bdca", "cdab", "adbc"} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(way, " ", restart), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newMesh(t, 1)
					m.host("b").skew, m.host("c").skew = time.Hour, -time.Hour
					m.members("a", "b", "c", "d")
					m.pass(time.Second)
					for i := range 3 {
						name := way[i : i+1]
						p := m.peer("peer", []string{name})
						m.pass(5 * time.Second)
						m.check()
						for j := range 5 {
							text := fmt.Sprint(i, " ", j)
							p.relay(authored(p.id(), text))
							m.wantDelivered(text, 1)
						}
						if i < 2 {
							m.hosts[name].kill(false)
						}
						if restart && i < 2 {
							m.pass(4 * time.Second)
							m.member(name)
						}
						p.stop()
					}
				})
			})
		}
	}
}
