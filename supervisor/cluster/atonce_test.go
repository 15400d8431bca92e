package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// open returns the number of connections that a host has open, held ones included.
func (h *host) open() int {
	h.mesh.t.Helper()
	status, err := h.Status(h.mesh.t.Context())
	if err != nil {
		h.mesh.t.Fatal(err)
	}
	return status.Connections.Established
}

// Peers that dial all members at the same moment keep one connection each: the second and the third are judged as soon
// as the first one has answered a probe, not at the next probe half a minute later.
func TestPeersThatDialAllMembersKeepOneConnection(t *testing.T) {
	const peers = 8
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			m := newMesh(t, seed)
			m.bus.Delay(0, time.Millisecond)
			m.members("a", "b", "c")
			m.pass(2 * time.Second)
			for i := range peers {
				name := fmt.Sprintf("peer%d", i)
				for j, member := range []string{"a", "b", "c"} { // proofs some milliseconds apart
					m.net.SetLatency(m.host(name).ip, m.hosts[member].ip, time.Duration(1+7*((i+j)%3))*time.Millisecond)
				}
				m.peer(name, []string{"a", "b", "c"})
			}
			m.pass(5 * time.Second)
			sum := 0
			for _, h := range m.running() {
				sum += h.open()
			}
			if sum != peers {
				t.Errorf("seed %d: %d connections at the members, want %d", seed, sum, peers)
			}
			m.check()
		})
	}
}
