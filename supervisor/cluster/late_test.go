package cluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// The connection of a claim has ended when the claim is granted: the peer has no home then.
func TestLateVerdictIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.members("a", "b")
		a, b := m.hosts["a"], m.hosts["b"]
		p := m.peer("peer", nil)
		if _, err := p.Connect(&supervisor.Peer{Address: a.address()}); err != nil {
			t.Fatal(err)
		}
		m.pass(time.Second)
		m.net.Links(p.ip, a.ip)[0].Vanish(p.ip)
		m.pass(time.Second)
		if _, err := p.Connect(&supervisor.Peer{Address: b.address()}); err != nil {
			t.Fatal(err)
		}
		m.pass(time.Second)
		if _, err := b.DisconnectConnection(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		m.pass(15 * time.Second) // the probe of a
		m.check("peer")
		m.checkEvents(p)
		if homes := m.homes(p.id()); len(homes) > 0 {
			t.Errorf("homes %q of a peer without a connection", homes)
		}
	})
}
