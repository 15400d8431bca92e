package supervisor

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// A deployed node loses its power and comes back with a release that binds its frames, as the further connection to it
// shows. That connection becomes the route at once: messages are not sent on the dead one until it is silent too long.
func TestBoundFurtherConnectionBecomesRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		private := bytes.Repeat([]byte{7}, 32)
		identity, err := refpeer.Load("deployed", private)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := crypto.NodeManagerFromPrivateKey(private, "upgraded", crypto.RoleDual, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		host := n.Attach("10.0.0.2")
		ln, err := host.Listen(9091)
		if err != nil {
			t.Fatal(err)
		}
		d := refpeer.StartDeployed(refpeer.DeployedOptions{
			Identity: identity, PingInterval: 30 * time.Second, Listener: ln, NetDial: host.DialContext, Worker: true,
		})
		a := startNode(t, n, 1, func(s *nodeSetup) { s.cfg.Peers = []string{"10.0.0.2:9091"} })
		time.Sleep(30*time.Second + 500*time.Millisecond) // the next ping is due after 60 s
		host.Crash(true)
		d.Close()
		upgraded := startNode(t, n, 2, func(s *nodeSetup) { s.keys = keys })
		time.Sleep(time.Second)
		if c := a.GetConnection(upgraded.id()); c == nil || c.Strength() < Bound {
			t.Errorf("the route is %+v, want the bound connection", c)
		}
		msg := a.to(upgraded.id(), "chat", nil)
		if err := a.Send(upgraded.id(), msg); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if got := upgraded.got("chat"); len(got) != 1 {
			t.Errorf("%d messages arrived, want 1", len(got))
		}
	})
}
