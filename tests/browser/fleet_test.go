package browser

import (
	"fmt"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
)

// role returns the role of peer number i of a fleet: one controller in 60, one dual node in 10, else workers.
func role(i int) crypto.NodeRole {
	switch {
	case i%60 == 0:
		return crypto.RoleController
	case i%10 == 1:
		return crypto.RoleDual
	default:
		return crypto.RoleWorker
	}
}

// connect starts n peers in this process that keep a connection to a node until the test ends, peer-000 and so on, and
// waits until all are connected. Their software is "fleet 1.0" and so on to 1.2.
func connect(t *testing.T, to *node, n int) []*supervisor.Transport {
	t.Helper()
	peers := make([]*supervisor.Transport, n)
	var starts sync.WaitGroup
	for i := range n {
		keys, err := crypto.NewEphemeralNodeManager(fmt.Sprintf("peer-%03d", i), role(i))
		if err != nil {
			t.Fatal(err)
		}
		peers[i], err = nodetest.New(nodetest.Options{Keys: keys, Config: func(c *supervisor.TransportConfig) {
			c.ListenAddr, c.MaxConns, c.Agent = "", 2, fmt.Sprintf("fleet 1.%d", i%3)
		}})
		if err != nil {
			t.Fatal(err)
		}
		starts.Go(func() {
			if _, err := peers[i].ConnectAddress(t.Context(), to.Hello.Str("address")); err != nil {
				t.Errorf("peer %d: %v", i, err)
			}
		})
		if i%20 == 19 {
			starts.Wait()
		}
	}
	starts.Wait()
	t.Cleanup(func() {
		var stops sync.WaitGroup
		for _, p := range peers {
			stops.Go(func() { _ = p.Stop() })
		}
		stops.Wait()
	})
	return peers
}
