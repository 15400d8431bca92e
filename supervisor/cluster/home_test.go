package cluster_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

func TestPeerHasOneHomeAmongThreeMembers(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		p := m.peer("peer", []string{"a", "b", "c"})
		m.pass(time.Minute)
		m.check()
		m.checkEvents(p)
		if n := p.ConnectedPeers(); n != 1 {
			t.Errorf("the peer has %d routes to the node, want 1", n)
		}
		p.stop()
		m.pass(time.Second)
		m.check()
		m.checkEvents(p)
	})
}

// A peer knows two members. When its home ends, the other one becomes its home.
func TestPeerOfAnEndedMemberMoves(t *testing.T) {
	for _, end := range []struct {
		name   string
		end    func(h *host)
		within time.Duration
	}{
		{"stop", (*host).stop, 10 * time.Second},
		{"kill", func(h *host) { h.kill(false) }, 10 * time.Second},
		{"power loss", func(h *host) { h.kill(true) }, 10*time.Second + 40*time.Second}, // the peer's silence limit
	} {
		t.Run(end.name, func(t *testing.T) {
			inMesh(t, "a b c", func(t *testing.T, m *mesh) {
				p := m.peer("peer", []string{"a", "b"})
				m.pass(time.Minute)
				home, other := m.hosts["a"], m.hosts["b"]
				if m.home(p) == other {
					home, other = other, home
				}
				end.end(home)
				m.pass(end.within)
				m.check()
				m.checkEvents(p)
				if err := p.send(nodeID(), "still here"); err != nil {
					t.Error(err)
				}
				m.pass(time.Second)
				if got := other.messages(); !slices.Equal(got, []string{`"still here"`}) {
					t.Errorf("the other member received %q", got)
				}
			})
		})
	}
}

// A second connection of a living peer is a duplicate. The program of its member hears nothing of the peer, not even
// the message that came before the verdict.
func TestRefusedClaimIsNotSeen(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		a, b := m.hosts["a"], m.hosts["b"]
		p := m.peer("peer", []string{"a"})
		m.pass(20 * time.Second)
		m.bus.Delay(200*time.Millisecond, 210*time.Millisecond) // of question and answer
		if err := p.dial(b).Post(p.message("too early")); err != nil {
			t.Fatal(err)
		}
		m.pass(100 * time.Millisecond)
		if err := b.sendWithin(50*time.Millisecond, p.id(), "hello"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a message to a peer whose claim is undecided: %v, want the end of its context", err)
		}
		m.pass(20 * time.Second)
		m.check()
		if m.home(p) != a {
			t.Errorf("homes %q", m.homes(p.id()))
		}
		if events := b.eventsOf(p.id()); len(events) > 0 {
			t.Errorf("events %q of a refused peer", events)
		}
		if got := b.messages(); len(got) > 0 {
			t.Errorf("messages %q of a refused peer", got)
		}
		if n := len(m.net.Links(p.ip, b.ip)); n != 0 {
			t.Errorf("%d connections to the other member, want none", n)
		}
		if n := b.Counters()["messagesAfterGoodbye"]; n == 0 {
			t.Error("the early message is not counted")
		}
	})
}

// claimOfHalfOpenPeer starts members a and b with a peer. The peer has lost its connection to a, its home, which has
// not noticed that, and has dialled b, which claims the peer.
func claimOfHalfOpenPeer(t *testing.T) (m *mesh, b, p *host) {
	t.Helper()
	m = newMesh(t, 1)
	m.members("a", "b")
	p = m.peer("peer", nil)
	p.dial(m.hosts["a"])
	m.pass(time.Second)
	m.net.Links(p.ip, m.hosts["a"].ip)[0].Vanish(p.ip)
	m.pass(time.Second)
	p.dial(m.hosts["b"])
	return m, m.hosts["b"], p
}

// The claim makes the home probe the peer, which moves when the probe fails.
func TestDeadConnectionMovesAfterAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, b, p := claimOfHalfOpenPeer(t)
		if err := p.send(nodeID(), "early"); err != nil {
			t.Fatal(err)
		}
		m.pass(time.Second)
		began := time.Now()
		if err := b.send(p.id(), "held"); err != nil {
			t.Errorf("a message to a held peer: %v", err)
		}
		if waited := time.Since(began); waited < 8*time.Second || waited > 9500*time.Millisecond {
			t.Errorf("the message waited %v, want the rest of the 10 s of a probe", waited)
		}
		m.pass(time.Second)
		m.check()
		if m.home(p) != b {
			t.Errorf("homes %q", m.homes(p.id()))
		}
		if got := b.messages(); !slices.Equal(got, []string{`"early"`}) {
			t.Errorf("the new home received %q", got)
		}
		if got := p.messages(); !slices.Equal(got, []string{`"held"`}) {
			t.Errorf("the peer received %q", got)
		}
		m.checkEvents(p)
	})
}

// The connection of a claim has ended when the claim is granted: the peer has no home then.
func TestLateVerdictIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, b, p := claimOfHalfOpenPeer(t)
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

// A session outranks a connection without one, so the peer moves at once, without a probe.
func TestStrongerConnectionMovesAtOnce(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		p := m.peer("peer", []string{"a"}, func(c *supervisor.TransportConfig) { c.Session = supervisor.SessionOff })
		m.pass(20 * time.Second)
		p.useSessions()
		p.dial(m.hosts["b"])
		m.pass(time.Second)
		m.check()
		if m.home(p) != m.hosts["b"] {
			t.Errorf("homes %q", m.homes(p.id()))
		}
		m.wantCount("a", actors.ClusterTaken, 1)
		m.wantCount("b", actors.ClusterTaken, 0)
		m.checkEvents(p)
	})
}

// During a cut, two hosts with one identity are connected to two members. Afterwards one connection is left.
func TestHealLeavesOneConnection(t *testing.T) {
	inMesh(t, "a b c", func(t *testing.T, m *mesh) {
		for _, other := range []string{"a", "c"} {
			m.bus.CutBoth("b", other, true)
		}
		m.pass(5 * time.Second)
		p := m.peer("peer", nil)
		q := m.host("copy")
		q.start(keysOf("peer"), nil)
		for from, to := range map[*host]string{p: "a", q: "b"} {
			from.dial(m.hosts[to])
		}
		m.pass(5 * time.Second)
		if homes := m.homes(p.id()); !slices.Equal(homes, []string{"a", "b"}) {
			t.Fatalf("homes %q during the cut, want a and b", homes)
		}
		m.bus.HealAll()
		m.pass(5 * time.Second)
		m.check()
		if n := p.ConnectedPeers() + q.ConnectedPeers(); n != 1 {
			t.Errorf("%d connections are left, want 1", n)
		}
		m.checkEvents(p)
	})
}

// A member does not dial a peer that is connected to another one, and says which.
func TestConnectNamesTheMemberOfThePeer(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		a, b := m.hosts["a"], m.hosts["b"]
		p := m.peer("peer", nil)
		if _, err := a.ConnectAddress(t.Context(), p.address()); err != nil {
			t.Fatal(err)
		}
		m.pass(time.Second)
		if m.home(p) != a {
			t.Fatalf("homes %q: an outbound connection claims, too", m.homes(p.id()))
		}
		for what, to := range map[string]*supervisor.Peer{
			"its ID is known":     {ID: p.id(), Address: p.address()},
			"its ID is not known": {Address: p.address()},
		} {
			_, err := b.Connect(to)
			var other *supervisor.OtherMemberError
			if !errors.Is(err, supervisor.ErrOtherMember) || !errors.As(err, &other) || other.Member != "a" {
				t.Errorf("%s: %v, want ErrOtherMember of a", what, err)
			}
		}
		m.pass(time.Minute)
		m.check()
		m.checkEvents(p)
		if n := b.Counters()["dials"]; n != 1 {
			t.Errorf("%d dials, want 1: of the address without an ID", n)
		}
	})
}
