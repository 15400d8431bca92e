package cluster_test

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// lastOf returns the last event of a type.
func lastOf[T supervisor.Event](h *host) (last T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if found, ok := e.(T); ok {
			last = found
		}
	}
	return last
}

// A peer moves from one member to another: the events say where, and every member lists its home.
func TestEventsAndListsNameTheMember(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		p := m.peer("peer", nil, func(c *supervisor.TransportConfig) { c.Session = supervisor.SessionOff })
		p.dial(m.hosts["a"])
		m.pass(20 * time.Second)
		p.useSessions()
		p.dial(m.hosts["b"])
		m.pass(time.Second)
		m.check()
		if up := lastOf[supervisor.PeerUp](m.hosts["b"]); up.Member != "b" || up.Peer != p.id() {
			t.Errorf("event of the new home: %+v", up)
		}
		if down := lastOf[supervisor.PeerDown](m.hosts["a"]); down.Member != "a" || down.MovedTo != "b" {
			t.Errorf("event of the former home: %+v", down)
		}
		if up := lastOf[supervisor.PeerUp](p); up.Member != "" {
			t.Errorf("event of a node without a cluster: %+v", up)
		}
		for _, name := range []string{"a", "b"} { // c does not know the peer
			list, err := m.hosts[name].Peers(t.Context())
			if err != nil || len(list) != 1 || list[0].Member != "b" || list[0].Connected != (name == "b") {
				t.Errorf("peers of %s: %+v, %v", name, list, err)
			}
		}
	})
}
