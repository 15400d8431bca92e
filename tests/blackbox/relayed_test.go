package blackbox

import (
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// smsgOnly makes a node speak SMSG to every peer.
var smsgOnly = []string{"--session", "off"}

// throughRelay starts two nodes without sessions, of which the first dials the second through a relay.
func throughRelay(t *testing.T, most int, adjust func(*relay)) (a, b *node, r *relay) {
	t.Helper()
	args := append([]string{"--stdin"}, smsgOnly...)
	a, b = start(t, append(args, "--name", "alpha")...), start(t, append(args, "--name", "beta")...)
	r = startRelay(t, b.URL(), most, adjust)
	a.run("connect", r.addr, "--timeout", "10s")
	return a, b, r
}

// TestRelayPassesHonestDials: a relay that changes nothing is a cable.
func TestRelayPassesHonestDials(t *testing.T) {
	t.Parallel()
	a, b, _ := throughRelay(t, 1, nil)
	meet(b, a)
	sent := &exchange{a: a, b: b}
	sent.both("relayed")
	sent.check(t)
	for _, n := range []*node{a, b} {
		if got := n.Status().Counters["downgradesRefused"]; got != 0 || n.Count("peer_down") != 0 {
			t.Errorf("%s: downgradesRefused %v, %d peer_down", n.Name(), got, n.Count("peer_down"))
		}
	}
}

// TestRelayCannotChangeTheHandshake: the binds of both sides cover both messages as they were sent, so the first frame
// shows the change.
func TestRelayCannotChangeTheHandshake(t *testing.T) {
	t.Parallel()
	payload := func(m map[string]any) map[string]any { return m["payload"].(map[string]any) }
	for name, change := range map[string]func(fromDialer bool, m map[string]any){
		"name in the handshake": func(fromDialer bool, m map[string]any) {
			if fromDialer {
				payload(m)["identity"].(map[string]any)["name"] = "mallory"
			}
		},
		"name in the ack": func(fromDialer bool, m map[string]any) {
			if !fromDialer {
				payload(m)["identity"].(map[string]any)["name"] = "mallory"
			}
		},
		"features of the handshake": func(fromDialer bool, m map[string]any) {
			if fromDialer {
				delete(payload(m), "features")
			}
		},
		"features of the ack": func(fromDialer bool, m map[string]any) {
			if !fromDialer {
				delete(payload(m), "features")
			}
		},
		"all features": func(_ bool, m map[string]any) { delete(payload(m), "features") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b, r := throughRelay(t, 1, func(r *relay) { r.change = change })
			if status := r.link().target.status(t); status != websocket.CloseProtocolError {
				t.Errorf("closed with %d, want 1002", status)
			}
			b.AwaitCounter("downgradesRefused", 1)
			if strings.HasPrefix(name, "name") || name == "features of the handshake" {
				if a.Count("peer_up") != 0 { // the ack announces that its frames are bound: it is no proof by itself
					t.Error("the dialler reports a connection that no frame has proved")
				}
			} else {
				a.Await("peer_down", "peer", b.ID())
			}
			if got := b.Count("peer_verified") + b.Count("message"); got != 0 {
				t.Errorf("%d proofs and messages, want none", got)
			}
		})
	}
}

// TestReflectedFramesAreSkipped: a relay sends each node its own frames as well. They are counted, and nothing else.
func TestReflectedFramesAreSkipped(t *testing.T) {
	t.Parallel()
	a, b, r := throughRelay(t, 1, func(r *relay) {
		r.also = func(l *relayLink, fromDialer bool, frame []byte) {
			if fromDialer {
				l.dialer.write(websocket.BinaryMessage, frame)
				return
			}
			l.target.write(websocket.BinaryMessage, frame)
		}
	})
	meet(b, a)
	sent := &exchange{a: a, b: b}
	sent.both("reflected")
	sent.check(t)
	l := r.link()
	for n, end := range map[*node]*wireEnd{a: l.dialer, b: l.target} {
		n.AwaitCounter("messagesRefused", float64(len(end.recorded())))
		if got := n.Status().Counters["downgradesRefused"]; got != 0 || n.Count("peer_down") != 0 {
			t.Errorf("%s: downgradesRefused %v, %d peer_down", n.Name(), got, n.Count("peer_down"))
		}
	}
}

// TestFrameOfAnotherConnectionEndsThisOne: both connections are between the same two nodes, so the frame opens.
func TestFrameOfAnotherConnectionEndsThisOne(t *testing.T) {
	t.Parallel()
	a, b, r := throughRelay(t, 2, nil)
	meet(b, a)
	first := r.link()
	sent := &exchange{a: a, b: b}
	sent.both("recorded")
	sent.check(t)
	recorded := first.dialer.recorded()
	first.dialer.ws.Close()
	first.target.ws.Close()
	b.Await("peer_down", "peer", a.ID())
	second := r.link() // a dials again by itself
	b.AwaitStatus("the second connection", func(s nodetest.Status) bool { return s.Connections.Established == 1 })
	second.target.write(websocket.BinaryMessage, recorded[len(recorded)-1])
	if status := second.target.status(t); status != websocket.CloseProtocolError {
		t.Errorf("closed with %d, want 1002", status)
	}
	b.AwaitCounter("downgradesRefused", 1)
	sent.check(t) // nothing arrived twice
}

// TestRecordedFramesProveNoClaim: a stranger that has watched two nodes connects to each with the other's identity and
// sends the recorded frames, in both directions.
func TestRecordedFramesProveNoClaim(t *testing.T) {
	t.Parallel()
	a, b, r := throughRelay(t, 1, nil)
	meet(b, a)
	sent := &exchange{a: a, b: b}
	sent.both("before")
	sent.check(t)
	l := r.link()
	for _, at := range []struct {
		node, as *node
		frame    []byte
	}{{a, b, l.target.recorded()[0]}, {b, a, l.dialer.recorded()[0]}} {
		stranger := claim(t, at.node, at.as, announce(modernFeatures))
		go stranger.read(func(int, []byte) {})
		stranger.write(websocket.BinaryMessage, at.frame)
		if status := stranger.status(t); status != websocket.CloseProtocolError {
			t.Errorf("%s: closed with %d, want 1002", at.node.Name(), status)
		}
		at.node.AwaitCounter("downgradesRefused", 1)
		if frames := stranger.recorded(); len(frames) != 0 {
			t.Errorf("%s sent %d frames to a peer that proved nothing", at.node.Name(), len(frames))
		}
	}
	sent.both("after")
	sent.check(t)
	for _, n := range []*node{a, b} {
		if n.Count("peer_down") != 0 || n.Status().Connections.Established != 1 {
			t.Errorf("%s: the honest connection does not stand", n.Name())
		}
	}
}
