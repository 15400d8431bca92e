package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Identities from one address connect, send a burst and leave, until they fill an eighth of the dedup set. Then a new
// identity of that address is refused. A connected one and another address are not.
func TestChurnOfOneAddressLeavesRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.MaxConns, s.cfg.RateBurst, s.cfg.RateRefill = 8, 40, 0.001 // an eighth of the set: 81 ids
			s.cfg.PingInterval = time.Hour
		})
		address := n.Attach("10.0.0.99")
		sharing := func(s *nodeSetup) {
			s.options = append(s.options, WithDialer(address.DialContext))
			s.cfg.PingInterval = time.Hour
		}
		burst := func(from *testNode, count int) {
			t.Helper()
			for i := range count {
				if err := from.Send(node.id(), from.to(node.id(), "stats", i)); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		}
		resident := startNode(t, n, 2, sharing)
		resident.dial(node)
		burst(resident, 1)
		refused := func() uint64 { return node.count(actors.MessagesRefused) }
		for i := range 5 {
			visitor := startNode(t, n, 3+i, sharing)
			visitor.dial(node)
			burst(visitor, 17)
			visitor.stop()
			synctest.Wait()
		}
		if got := refused(); got != 0 {
			t.Fatalf("%d messages refused before the share is used up", got)
		}
		late := startNode(t, n, 10, sharing)
		late.dial(node)
		burst(late, 4)
		if got := refused(); got < 4 {
			t.Errorf("%d messages of a new identity refused, want all 4", got)
		}
		before := refused()
		burst(resident, 4)
		other := startNode(t, n, 11, func(s *nodeSetup) { s.cfg.PingInterval = time.Hour })
		other.dial(node)
		burst(other, 4)
		if got := refused() - before; got != 0 {
			t.Errorf("%d messages of a connected identity and of another address refused", got)
		}
	})
}
