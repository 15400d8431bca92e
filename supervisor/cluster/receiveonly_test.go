package cluster_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// A deployed peer keeps a connection to each member: one serves it, the others only receive. Its messages take the
// tokens of one bucket, that of its home, whichever connection they arrive on and whichever author they name.
func TestReceiveOnlyConnectionsTakeTokensOfTheHome(t *testing.T) {
	const burst = 30
	slow := func(c *supervisor.TransportConfig) { c.RateBurst, c.RateRefill = burst, 0.001 }
	authors := map[string]string{
		"own messages": keysOf("old").Identity().ID, "relayed messages": keysOf("author").Identity().ID,
	}
	for name, author := range authors {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMesh(t, 1)
				members := []*host{m.member("a", slow), m.member("b", slow), m.member("c", slow)}
				d := m.deployed("old", "a", "b", "c")
				conns := d.Conns(nodeID())
				if home := m.homes(d.Identity().ID); len(conns) != 3 || len(home) != 1 || home[0] != "a" {
					t.Fatalf("%d connections, home %q, want 3 and a", len(conns), home)
				}
				paid := int(members[0].Counters()["messagesReceived"]) // pongs
				for i := range 3 * burst {
					e, err := refpeer.NewEnvelope(string(testType), author, nodeID(), fmt.Sprint(i))
					if err == nil {
						err = conns[i%3].SendEnvelope(e)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				m.pass(time.Second)
				delivered, limited := 0, 0
				for _, h := range members {
					delivered += len(h.messages())
					limited += int(h.Counters()["messagesRateLimited"])
				}
				if delivered != burst-paid || limited != 3*burst-delivered {
					t.Errorf("%d messages delivered and %d over the limit, want %d and %d",
						delivered, limited, burst-paid, 2*burst+paid)
				}
			})
		})
	}
}

// While the home is silent, a connection that only receives has the bucket of its member, and delivers each message
// once.
func TestReceiveOnlyConnectionOutlivesSilenceOfTheHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMesh(t, 1)
		m.members("a", "b")
		d := m.deployed("old", "a", "b")
		m.hosts["a"].bus.Freeze(true)
		for i := range 3 {
			if _, err := d.Conns(nodeID())[1].Send(string(testType), nodeID(), i); err != nil {
				t.Fatal(err)
			}
		}
		m.pass(600 * time.Millisecond) // two batches
		b := m.hosts["b"]
		if got, unchecked := len(b.messages()), b.Counters()["clusterUnchecked"]; got != 3 || unchecked != 3 {
			t.Errorf("%d messages delivered, %d unchecked, want 3 and 3", got, unchecked)
		}
		m.hosts["a"].bus.Freeze(false)
		m.pass(time.Second)
	})
}
