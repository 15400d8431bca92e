package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// startDeployed starts a deployed node without a worker at 10.0.0.2, inside a bubble.
func startDeployed(t *testing.T, n *memnet.Network, interval time.Duration) *refpeer.Deployed {
	t.Helper()
	return startDeployedWith(t, n, refpeer.DeployedOptions{PingInterval: interval})
}

// startDeployedWith starts a deployed node at 10.0.0.2, inside a bubble. Its identity and network are set here.
func startDeployedWith(t *testing.T, n *memnet.Network, o refpeer.DeployedOptions) *refpeer.Deployed {
	t.Helper()
	host := n.Attach("10.0.0.2")
	var err error
	if o.Identity, err = refpeer.New("deployed"); err != nil {
		t.Fatal(err)
	}
	if o.Listener, err = host.Listen(9091); err != nil {
		t.Fatal(err)
	}
	o.NetDial = host.DialContext
	d := refpeer.StartDeployed(o)
	t.Cleanup(d.Close)
	return d
}

// wantKnown checks whether the deployed node has an entry for a now, and the number of connections to it.
func wantKnown(t *testing.T, d *refpeer.Deployed, a *testNode, known bool, conns int) {
	t.Helper()
	synctest.Wait()
	if got := d.Knows(a.id()); got != known {
		t.Errorf("the deployed node knows us: %v, want %v", got, known)
	}
	if got := len(d.Conns(a.id())); got != conns {
		t.Errorf("%d connections stand, want %d", got, conns)
	}
}
