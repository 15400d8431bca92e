package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// TestHealthyConnectionResetsEveryAddress: a peer has two addresses, and neither answered for long. After a healthy
// connection through one of them, its end leads to the other one at once.
func TestHealthyConnectionResetsEveryAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		keys, err := crypto.NewEphemeralNodeManager("shared", crypto.RoleDual)
		if err != nil {
			t.Fatal(err)
		}
		id := keys.Identity().ID
		shared := func(s *nodeSetup) { s.keys = keys }
		peer := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.Peers = []string{"10.0.0.2:9091#" + id, "10.0.0.3:9091#" + id}
		})
		time.Sleep(30 * time.Minute)
		first := startNode(t, n, 2, shared)
		time.Sleep(5 * time.Minute)
		second := startNode(t, n, 3, shared)
		time.Sleep(time.Minute)
		if first.ConnectedPeers() != 1 || second.ConnectedPeers() != 0 {
			t.Fatalf("%d and %d connections before the end", first.ConnectedPeers(), second.ConnectedPeers())
		}
		first.stop()
		time.Sleep(time.Second)
		if second.ConnectedPeers() != 1 {
			dials, _ := peer.Dials(t.Context())
			t.Errorf("not connected to the second address after a second: %+v", dials)
		}
	})
}
