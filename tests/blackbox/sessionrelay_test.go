package blackbox

import (
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/refpeer/session"
)

// sessionRelay is two nodes in separate processes, of which the first has dialled the second through a relay.
type sessionRelay struct {
	a, b    *node
	relay   *relay
	link    *relayLink
	connect result // of a's connect through the relay
}

// relayed starts two nodes with the same arguments and connects them through a relay.
func relayed(t *testing.T, args []string, adjust func(*relay)) *sessionRelay {
	t.Helper()
	s := &sessionRelay{
		a: start(t, append([]string{"--name", "alpha", "--stdin"}, args...)...),
		b: start(t, append([]string{"--name", "beta", "--stdin"}, args...)...),
	}
	s.dial(t, adjust)
	return s
}

// dial connects the nodes through a new relay.
func (s *sessionRelay) dial(t *testing.T, adjust func(*relay)) {
	t.Helper()
	s.relay = startRelay(t, s.b.URL(), 1, adjust)
	s.connect = s.a.run("connect", s.relay.addr, "--timeout", "20s")
	s.link = s.relay.link()
}

// requireRefused requires that the connection through the relay has ended with 1002 by one of the nodes, that neither
// was ever up with the other, and that the nodes can still connect directly.
func (s *sessionRelay) requireRefused(t *testing.T) {
	t.Helper()
	statuses := []int{s.link.dialer.status(t), s.link.target.status(t)}
	if !slices.Contains(statuses, websocket.CloseProtocolError) {
		t.Errorf("closed with %v, want 1002 from one node", statuses)
	}
	if s.connect.code == 0 {
		t.Errorf("connect succeeds: %s", s.connect.stdout)
	}
	for n, other := range map[*node]*node{s.a: s.b, s.b: s.a} {
		up, verified := n.Count("peer_up", "peer", other.ID(), "verified", true), n.Count("peer_verified", "peer", other.ID())
		if up+verified+len(n.received(other.ID())) != 0 {
			t.Errorf("%s: %d peer_up, %d peer_verified, messages %q; want none", n.Name(), up, verified,
				n.received(other.ID()))
		}
	}
	s.a.ok("connect", s.b.Address())
	s.b.Await("message", "message.id", s.a.ok("send", s.b.ID(), "directly"))
}

// stripSession takes session/1 out of a handshake message.
func stripSession(m map[string]any) {
	payload := payloadOf(m)
	delete(payload, "session")
	features, _ := payload["features"].([]any)
	payload["features"] = slices.DeleteFunc(features, func(f any) bool { return f == "session/1" })
}

// stripAll takes everything out of a handshake message that deployed nodes do not send.
func stripAll(m map[string]any) {
	delete(payloadOf(m), "session")
	delete(payloadOf(m), "features")
}

func payloadOf(m map[string]any) map[string]any { return m["payload"].(map[string]any) }

// inHandshake and inAck limit a change to one of the two messages.
func inHandshake(change func(map[string]any)) func(bool, map[string]any) {
	return func(fromDialer bool, m map[string]any) {
		if fromDialer {
			change(m)
		}
	}
}

func inAck(change func(map[string]any)) func(bool, map[string]any) {
	return func(fromDialer bool, m map[string]any) {
		if !fromDialer {
			change(m)
		}
	}
}

func inBoth(change func(map[string]any)) func(bool, map[string]any) {
	return func(_ bool, m map[string]any) { change(m) }
}

// TestRelayPassesSessions: a relay that changes nothing is a cable, and reads nothing.
func TestRelayPassesSessions(t *testing.T) {
	t.Parallel()
	s := relayed(t, nil, nil)
	s.connect.want(t, 0)
	meet(s.b, s.a)
	sent := &exchange{a: s.a, b: s.b}
	sent.both("a phrase that must not be readable")
	sent.check(t)
	for _, end := range []*wireEnd{s.link.dialer, s.link.target} {
		for _, frame := range end.recorded() {
			if frame[0] != session.TypeMessages || strings.Contains(string(frame), "phrase") {
				t.Errorf("on the wire: %q", frame)
			}
		}
	}
	for _, n := range []*node{s.a, s.b} {
		for _, name := range []string{"downgradesRefused", "framesMalformed", "messagesRefused"} {
			if got := n.Status().Counters[name]; got != 0 || n.Count("peer_down") != 0 {
				t.Errorf("%s: %s %v, %d peer_down", n.Name(), name, got, n.Count("peer_down"))
			}
		}
	}
}

// TestRelayCannotChangeTheNegotiation: the keys of both sides cover both messages as they were sent.
func TestRelayCannotChangeTheNegotiation(t *testing.T) {
	t.Parallel()
	setName := func(m map[string]any) { payloadOf(m)["identity"].(map[string]any)["name"] = "mallory" }
	set := func(name string, value any) func(map[string]any) {
		return func(m map[string]any) { payloadOf(m)["session"].(map[string]any)[name] = value }
	}
	only := []any{"session/1"}
	own := b64(session.NewKeyPair().Public)
	pq := []string{"--session-pq"}
	for name, tt := range map[string]struct {
		args   []string
		change func(bool, map[string]any)
	}{
		"name in the handshake": {nil, inHandshake(setName)},
		"name in the ack":       {nil, inAck(setName)},
		"order of the aeads":    {nil, inHandshake(set("aeads", []string{session.ChaCha20Poly1305}))},
		"aead of the ack":       {nil, inAck(otherAEAD)},
		"key of the handshake":  {nil, inHandshake(set("key", own))},
		"key of the ack":        {nil, inAck(set("key", own))},
		"kem of the handshake":  {pq, inHandshake(func(m map[string]any) { delete(sessionOf(m), "kem") })},
		"kem of both":           {pq, inBoth(func(m map[string]any) { delete(sessionOf(m), "kem") })},
		"kem of the ack":        {pq, inAck(func(m map[string]any) { delete(sessionOf(m), "kem") })},
		"the other features":    {nil, inHandshake(func(m map[string]any) { payloadOf(m)["features"] = only })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := relayed(t, tt.args, func(r *relay) { r.change = tt.change })
			s.requireRefused(t)
		})
	}
}

func sessionOf(m map[string]any) map[string]any { return payloadOf(m)["session"].(map[string]any) }

// otherAEAD names the other one of the two AEADs in an ack. Both were offered.
func otherAEAD(m map[string]any) {
	s := sessionOf(m)
	if s["aead"] == session.AES256GCM {
		s["aead"] = session.ChaCha20Poly1305
		return
	}
	s["aead"] = session.AES256GCM
}

// TestRelayCannotSplitTheFeature: a feature without its key is refused, before any frame.
func TestRelayCannotSplitTheFeature(t *testing.T) {
	t.Parallel()
	s := relayed(t, nil, func(r *relay) {
		r.change = inAck(func(m map[string]any) { delete(payloadOf(m), "session") })
	})
	if s.connect.code == 0 {
		t.Errorf("connect succeeds: %s", s.connect.stdout)
	}
	s.a.AwaitCounter("handshakesRejected", 1)
	s.link.dialer.status(t)
	if frames := s.link.dialer.recorded(); len(frames) != 0 || s.a.Count("peer_up") != 0 {
		t.Errorf("%d frames, %d peer_up; want none", len(frames), s.a.Count("peer_up"))
	}
}

// TestRelayStripsEverythingOnFirstContact: each side takes the other for a deployed node. The first frame shows the
// relay: no message arrives.
func TestRelayStripsEverythingOnFirstContact(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		mode    string
		change  func(bool, map[string]any)
		refused float64 // downgradesRefused of the responder; else its session ends for a frame that is no record
	}{
		"of both, prefer": {"prefer", inBoth(stripAll), 1},
		"of both, pin":    {"pin", inBoth(stripAll), 1},
		"of the ack":      {"pin", inAck(stripAll), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := relayed(t, []string{"--session", tt.mode}, func(r *relay) { r.change = tt.change })
			for i := range 3 {
				s.a.run("send", s.b.ID(), string(rune('0'+i)))
			}
			if status := s.link.target.status(t); status != websocket.CloseProtocolError {
				t.Errorf("closed with %d, want 1002", status)
			}
			s.b.AwaitCounter("downgradesRefused", tt.refused)
			if tt.refused > 0 {
				s.b.Await("downgrade_refused", "peer", s.a.ID())
			}
			if got := s.b.Count("peer_verified") + s.b.Count("message"); got != 0 {
				t.Errorf("%d proofs and messages, want none", got)
			}
			s.a.Await("peer_down", "peer", s.b.ID())
			s.a.ok("connect", s.b.Address())
			s.b.Await("message", "message.id", s.a.ok("send", s.b.ID(), "directly"))
		})
	}
}

// pinned reports whether a node has a pin of a peer.
func (n *node) pinned(id string) bool {
	n.t.Helper()
	var list []struct {
		ID     string
		Pinned bool
	}
	n.json(&list, "peers")
	for _, p := range list {
		if p.ID == id {
			return p.Pinned
		}
	}
	return false
}

// TestRelayStripsAfterAPin: the initiator holds its messages, so that none leaves it in SMSG.
func TestRelayStripsAfterAPin(t *testing.T) {
	t.Parallel()
	for name, strip := range map[string]func(map[string]any){"session": stripSession, "everything": stripAll} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := start(t, "--name", "alpha", "--stdin"), start(t, "--name", "beta", "--stdin")
			a.ok("connect", b.Address())
			meet(b, a)
			s := &sessionRelay{a: a, b: b}
			sent := &exchange{a: a, b: b}
			sent.both("before")
			sent.check(t)
			a.ok("disconnect", b.ID())
			b.Await("peer_down", "peer", a.ID())
			a.Await("peer_down", "peer", b.ID())
			markA, markB := a.Mark(), b.Mark()
			s.dial(t, func(r *relay) { r.change = inBoth(strip) })
			if s.connect.code == 0 {
				t.Errorf("connect succeeds: %s", s.connect.stdout)
			}
			if r := a.run("send", b.ID(), "secret"); r.code == 0 {
				t.Error("send succeeds")
			}
			if status := s.link.target.status(t); status != websocket.CloseProtocolError {
				t.Errorf("closed with %d, want 1002", status)
			}
			b.AwaitCounter("downgradesRefused", 1)
			if frames := s.link.dialer.recorded(); len(frames) != 1 {
				t.Errorf("%d frames left the initiator, want its ping alone", len(frames))
			}
			for n, mark := range map[*node]int{a: markA, b: markB} {
				for _, e := range n.All()[mark:] {
					// Without features the responder reports an unverified peer, as a deployed one.
					if e.Has("peer_up", "verified", true) || e.Kind == "peer_verified" || e.Kind == "message" {
						t.Errorf("%s: %s", n.Name(), e.Line)
					}
				}
			}
			if !a.pinned(b.ID()) || !b.pinned(a.ID()) {
				t.Errorf("pinned: %v and %v, want both", a.pinned(b.ID()), b.pinned(a.ID()))
			}
			a.ok("connect", b.Address())
			sent.both("after")
			sent.check(t)
		})
	}
}
