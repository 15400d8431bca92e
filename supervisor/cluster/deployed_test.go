package cluster_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// deployed starts a deployed node, which binds no frames, and connects it to members in this order.
func (m *mesh) deployed(name string, to ...string) *refpeer.Deployed {
	m.t.Helper()
	return m.deployedAt("10.0.9.9", name, to...)
}

// deployedAt is deployed on a host with this address.
func (m *mesh) deployedAt(ip, name string, to ...string) *refpeer.Deployed {
	m.t.Helper()
	private := sha256.Sum256([]byte("mesh " + name))
	keys, err := refpeer.Load(name, private[:])
	if err != nil {
		m.t.Fatal(err)
	}
	attached := m.net.Attach(ip)
	d := refpeer.StartDeployed(refpeer.DeployedOptions{
		Identity: keys, PingInterval: 30 * time.Second, Worker: true, NetDial: attached.DialContext,
	})
	m.t.Cleanup(func() {
		attached.Crash(false)
		d.Close()
	})
	for _, member := range to {
		if err := d.Connect(m.t.Context(), "ws://"+m.host(member).address()+"/ws"); err != nil {
			m.t.Fatal(err)
		}
		m.pass(5 * time.Second)
	}
	return d
}

// The end of a connection makes a deployed node forget the other one as well, so a duplicate stays open. It only
// receives, until the home ends.
func TestDeployedDuplicateReceivesUntilTheHomeEnds(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		a, b := m.hosts["a"], m.hosts["b"]
		d := m.deployed("old", "a", "b")
		id := keysOf("old").Identity().ID
		if homes, open := m.homes(id), d.Conns(nodeID()); !slices.Equal(homes, []string{"a"}) || len(open) != 2 {
			t.Fatalf("homes %q, %d connections, want a and 2", homes, len(open))
		}
		if _, err := d.Send(nodeID(), string(testType), "by the second one"); err != nil {
			t.Fatal(err)
		}
		m.pass(time.Second)
		if got := b.messages(); !slices.Equal(got, []string{`"by the second one"`}) {
			t.Errorf("the second member received %q", got)
		}
		if events := b.eventsOf(id); slices.Contains(events, "verified") {
			t.Errorf("the second member reports %q before it is the home", events)
		}
		d.Conns(nodeID())[0].Close()
		m.pass(time.Second)
		if homes := m.homes(id); !slices.Equal(homes, []string{"b"}) {
			t.Fatalf("homes %q after the end of the first connection, want b", homes)
		}
		if err := b.send(id, "now from here"); err != nil {
			t.Error(err)
		}
		m.pass(time.Second)
		if got := d.Received(); len(got) != 1 || string(got[0].Payload) != `"now from here"` {
			t.Errorf("the deployed node received %+v", got)
		}
		if events := b.eventsOf(id); !slices.Contains(events, "verified") {
			t.Errorf("events %q", events)
		}
		if home, _ := a.engine.Home(id); home != "b" {
			t.Errorf("home in the directory of a: %q", home)
		}
	})
}

// The home of a deployed node loses its connection without a sign. A new connection to another member takes over.
func TestDeployedNodeMovesFromADeadHome(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		d := m.deployed("old", "a")
		id := keysOf("old").Identity().ID
		m.net.Links("10.0.9.9", m.hosts["a"].ip)[0].Vanish("10.0.9.9")
		m.pass(time.Second)
		if err := d.Connect(t.Context(), "ws://"+m.hosts["b"].address()+"/ws"); err != nil {
			t.Fatal(err)
		}
		m.pass(15 * time.Second) // a probe
		if homes := m.homes(id); !slices.Equal(homes, []string{"b"}) {
			t.Errorf("homes %q, want b", homes)
		}
		if events := m.hosts["a"].eventsOf(id); !slices.Equal(events, []string{"up", "verified", "down"}) {
			t.Errorf("the former home reports %q", events)
		}
	})
}

// The route that is probed for a claim ends, and another connection takes its place: it is probed, too.
func TestClaimIsDecidedAfterTheRouteChanges(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		a, b := m.hosts["a"], m.hosts["b"]
		d := m.deployed("old", "a", "a")
		id := keysOf("old").Identity().ID
		m.pass(40 * time.Second) // after the probe for the second connection
		route := a.GetConnection(id)
		m.net.Links("10.0.9.9", a.ip)[0].Vanish("10.0.9.9")
		m.pass(time.Second)
		if err := d.Connect(t.Context(), "ws://"+b.address()+"/ws"); err != nil {
			t.Fatal(err)
		}
		m.pass(5 * time.Second)
		if err := b.sendWithin(time.Second, id, "undecided"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a message during the contest: %v", err)
		}
		if _, err := a.DisconnectConnection(t.Context(), route.Number()); err != nil {
			t.Fatal(err)
		}
		m.pass(28 * time.Second) // the next probe, a ping interval after the first one
		if now := a.GetConnection(id); now == nil || now == route {
			t.Fatalf("route %v of the home, want the other connection", now)
		}
		if err := b.sendWithin(time.Second, id, "decided"); errors.Is(err, context.DeadlineExceeded) {
			t.Error("the claim is not decided: its peer is still held")
		}
	})
}
