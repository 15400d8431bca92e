package blackbox

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// deployedPeer starts a deployed node that pings every second, on a loopback port.
func deployedPeer(t *testing.T) (*refpeer.Deployed, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := refpeer.StartDeployed(refpeer.DeployedOptions{
		Identity: identity(t, "deployed"), PingInterval: time.Second, Listener: ln,
	})
	t.Cleanup(d.Close)
	return d, ln.Addr().String()
}

// awaitDeployed waits until a deployed node knows n, or has forgotten it, while it has a number of connections.
func awaitDeployed(n *node, d *refpeer.Deployed, known bool, conns int) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if d.Await(ctx, func() bool { return d.Knows(n.ID()) == known && len(d.Conns(n.ID())) == conns }) != nil {
		n.Fatalf("the deployed node knows it: %v, connections: %d; want %v, %d",
			d.Knows(n.ID()), len(d.Conns(n.ID())), known, conns)
	}
}

// TestDeployedNodeKnowsUsAgain: after our restart within the ping interval, and after one of two connections ended, a
// deployed node forgets us. A further connection, opened when its ping interval of a second has passed, has it send to
// us again.
func TestDeployedNodeKnowsUsAgain(t *testing.T) {
	t.Parallel()
	d, address := deployedPeer(t)
	home := nodetest.NewHome(t)
	first := startIn(t, home, "--peer", address)
	awaitDeployed(first, d, true, 1)
	first.Kill()
	n := startIn(t, home, "--peer", address)
	awaitDeployed(n, d, true, 2)
	hear := func() {
		t.Helper()
		id, err := d.Send(n.ID(), "chat", "do you hear me?")
		if err != nil {
			n.Fatalf("the deployed node does not send: %v", err)
		}
		n.Await("message", "message.id", id)
	}
	hear()
	for range 2 {
		d.Conns(n.ID())[0].Close()
		awaitDeployed(n, d, false, 1)
		awaitDeployed(n, d, true, 2)
		hear()
	}
	if got := n.Count("peer_down"); got != 0 {
		t.Errorf("%d peers went down, want none", got)
	}
}
