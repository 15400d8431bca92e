package cluster_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// stranger opens a connection that claims an identity. In these tests an attacker has no key: it only sends the frames
// that it has recorded.
func (m *mesh) stranger(ip, member string, o refpeer.Options) *refpeer.Conn {
	m.t.Helper()
	o.NetDial = m.net.Attach(ip).DialContext
	c, err := refpeer.Dial(m.t.Context(), "ws://"+m.host(member).address()+"/ws", o)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(c.Close)
	return c
}

// recorded is a frame with a text, as an observer of its connection has it.
func (m *mesh) recorded(c *refpeer.Conn, id *refpeer.Identity, text string) []byte {
	m.t.Helper()
	e, err := refpeer.NewEnvelope(string(testType), id.ID, nodeID(), text)
	if err != nil {
		m.t.Fatal(err)
	}
	frame, err := c.Seal(e)
	if err != nil {
		m.t.Fatal(err)
	}
	return frame
}

// victim connects a peer to member a.
func (m *mesh) victim(o refpeer.Options) (*refpeer.Identity, *refpeer.Conn) {
	m.t.Helper()
	o.Identity = m.identity("victim")
	return o.Identity, m.stranger("10.9.0.1", "a", o)
}

func (m *mesh) sendFrame(c *refpeer.Conn, frame []byte) {
	m.t.Helper()
	if err := c.SendRaw(frame); err != nil {
		m.t.Error(err)
	}
	m.pass(time.Second)
}

func (m *mesh) identity(name string) *refpeer.Identity {
	m.t.Helper()
	id, err := refpeer.New(name)
	if err != nil {
		m.t.Fatal(err)
	}
	return id
}

// wantVerified requires whether a member has verified a peer.
func (m *mesh) wantVerified(member, peer string, want bool) {
	m.t.Helper()
	h := m.hosts[member]
	if got := slices.Contains(h.eventsOf(peer), "verified"); got != want || (h.GetConnection(peer) != nil) != want {
		m.t.Errorf("%s has verified %s: %v, want %v", member, peer, got, want)
	}
}

// A frame of a deployed peer, recorded at one member, opens at every member. It verifies no connection there and is not
// delivered again: while the peer is connected to the first member, and after that.
func TestRecordedFrameProvesNothingToAnotherMember(t *testing.T) {
	for _, gone := range []bool{false, true} {
		inMesh(t, "a b c", func(t *testing.T, m *mesh) {
			victim, c := m.victim(refpeer.Options{})
			frame := m.recorded(c, victim, "once")
			m.sendFrame(c, frame)
			m.wantVerified("a", victim.ID, true)
			if gone {
				c.Close()
				m.pass(time.Second)
			}
			for i, member := range []string{"b", "c"} {
				attacker := m.stranger([]string{"10.9.0.2", "10.9.0.3"}[i], member, refpeer.Options{Identity: victim})
				m.sendFrame(attacker, frame)
				m.wantVerified(member, victim.ID, false)
				m.wantCount(member, actors.MessagesDuplicate, 1)
			}
			m.wantDelivered("once", 1)
		})
	}
}

// The victim itself is verified at another member by a frame that no member has seen.
func TestNewFrameVerifiesADeployedPeerAtAnotherMember(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		peer := m.identity("peer")
		first := m.stranger("10.9.0.1", "a", refpeer.Options{Identity: peer})
		m.sendFrame(first, m.recorded(first, peer, "first"))
		first.Close()
		m.pass(time.Second)
		second := m.stranger("10.9.0.1", "b", refpeer.Options{Identity: peer})
		m.sendFrame(second, m.recorded(second, peer, "second"))
		m.sendFrame(second, m.recorded(second, peer, "third"))
		m.wantVerified("b", peer.ID, true)
		m.wantDelivered("second", 1)
		m.wantDelivered("third", 1)
	})
}

// A check that no member answers verifies nothing: the recorded frame may have been delivered there. The same frame
// is accepted once the members hear each other again.
func TestUnansweredCheckVerifiesNothing(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		victim, c := m.victim(refpeer.Options{})
		m.sendFrame(c, m.recorded(c, victim, "first"))
		frame := m.recorded(c, victim, "second")
		m.bus.CutBoth("a", "b", true)
		attacker := m.stranger("10.9.0.2", "b", refpeer.Options{Identity: victim})
		m.sendFrame(attacker, frame)
		m.wantVerified("b", victim.ID, false)
		m.wantDelivered("second", 0)
		m.wantCount("b", actors.MessagesRefused, 1)
		m.wantCount("b", actors.ClusterUnchecked, 0)
	})
}

// A verified relay's message is delivered although the author's home does not answer.
func TestUnansweredCheckOfAVerifiedPeerIsDelivered(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		author := m.peer("author", []string{"a"})
		relay := m.peer("relay", []string{"b"})
		m.pass(time.Second)
		m.bus.Cut("a", "b", true)
		msg := authored(author.id(), "cut")
		relay.relay(msg)
		relay.relay(msg)
		m.wantDelivered("cut", 1)
		m.wantCount("b", actors.ClusterChecks, 2)
		m.wantCount("b", actors.ClusterUnchecked, 2)
		m.wantCount("b", actors.MessagesDuplicate, 1)
	})
}

// A frame that is bound to its connection closes another one of the same peer, at every member.
func TestBoundFrameIsRefusedByAnotherMember(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		victim, c := m.victim(refpeer.Options{Bind: true})
		frame := m.recorded(c, victim, "once")
		m.sendFrame(c, frame)
		m.wantVerified("a", victim.ID, true)
		attacker := m.stranger("10.9.0.2", "b", refpeer.Options{Identity: victim, Bind: true})
		m.sendFrame(attacker, frame)
		m.wantVerified("b", victim.ID, false)
		m.wantCount("b", actors.DowngradesRefused, 1)
		m.wantDelivered("once", 1)
		select {
		case <-attacker.Done():
		default:
			t.Error("the attacker's connection is open")
		}
	})
}

// An attacker that a member dials sends the member's challenge to another member, which would answer it in the name of
// a victim: it has the same key.
func TestMemberRefusesTheChallengeOfAnother(t *testing.T) {
	inMesh(t, "a b", func(t *testing.T, m *mesh) {
		victim := m.identity("victim")
		host := m.net.Attach("10.9.0.1")
		listener, err := host.Listen(port)
		if err != nil {
			t.Fatal(err)
		}
		reflected := make(chan error, 1)
		attacker := refpeer.Serve(listener, refpeer.Options{
			Identity: victim,
			SpoilAck: func(handshake []byte, ack map[string]any) {
				challenge := challengeOf(t, handshake)
				_, err := refpeer.Dial(t.Context(), "ws://"+m.host("b").address()+"/ws", refpeer.Options{
					Identity: victim, NetDial: host.DialContext,
					Spoil: func(payload map[string]any) { payload["challenge"] = challenge },
				})
				reflected <- err
				delete(ack, "challengeResponse")
			},
		})
		defer attacker.Close()
		if _, err := m.hosts["a"].ConnectAddress(t.Context(), "10.9.0.1:9091"); err == nil {
			t.Error("the dial succeeded")
		}
		if err := <-reflected; err == nil || err.Error() != "refused: invalid handshake" {
			t.Errorf("the other member answered: %v", err)
		}
		m.pass(time.Second)
	})
}

// challengeOf returns the challenge of a handshake message.
func challengeOf(t *testing.T, handshake []byte) string {
	t.Helper()
	var msg struct {
		Payload struct {
			Challenge string `json:"challenge"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(handshake, &msg); err != nil || msg.Payload.Challenge == "" {
		t.Errorf("handshake %q: %v", handshake, err)
	}
	return msg.Payload.Challenge
}
