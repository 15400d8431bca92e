package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// Unverified peers that only claim an identity are reported in a burst, then once per second.
func TestClaimsAreReportedOncePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.MaxConns, s.cfg.MaxConnsPerAddress = 300, -1 })
		const burst = claimBurst + 300
		for range burst + 20 {
			impostor(t, n, "10.0.0.5", node.addr, newKeys(t, "stranger").Identity()).CloseNow()
		}
		synctest.Wait()
		if ups := len(eventsOf[PeerUp](node)); ups != burst {
			t.Errorf("%d reported at once, want %d", ups, burst)
		}
		if downs := len(eventsOf[PeerDown](node)); downs != burst {
			t.Errorf("%d ends reported, want %d", downs, burst)
		}
		time.Sleep(time.Second)
		impostor(t, n, "10.0.0.5", node.addr, newKeys(t, "stranger").Identity()).CloseNow()
		synctest.Wait()
		ups := eventsOf[PeerUp](node)
		if last := ups[len(ups)-1]; len(ups) != burst+1 || last.Omitted != 20 {
			t.Errorf("%d reported, the last with %d omitted; want %d and 20", len(ups), last.Omitted, burst+1)
		}
	})
}

// Frames sealed for other connections are reported once per second, with the number of omitted events.
func TestDowngradesAreReportedOncePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		node, peer := startNode(t, n, 1), startNode(t, n, 2)
		peer.dial(node)
		c := node.GetConnection(peer.id())
		foreign := &actors.Foreign{PID: c.PID()}
		for range 5 {
			node.tell(foreign)
		}
		if got := len(eventsOf[DowngradeRefused](node)); got != 1 {
			t.Errorf("%d events at once, want 1", got)
		}
		time.Sleep(time.Second)
		node.tell(foreign)
		got := eventsOf[DowngradeRefused](node)
		want := DowngradeRefused{Peer: peer.id(), Address: c.peerAddress, Connection: c.Number(), Omitted: 4}
		if len(got) != 2 || got[1] != want {
			t.Errorf("events %+v, want two, the last %+v", got, want)
		}
	})
}
