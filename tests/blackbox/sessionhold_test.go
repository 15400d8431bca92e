package blackbox

import (
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestHeldMessagesStayWithTheInitiator: a relay makes each side look like a deployed node and passes no frame on.
// Towards a pinned peer no application message leaves, and all fail at the end of the hold.
func TestHeldMessagesStayWithTheInitiator(t *testing.T) {
	t.Parallel()
	quick := []string{"--stdin", "--ping-interval", "2s", "--pong-timeout", "2s"}
	a, b := start(t, append(quick, "--name", "alpha")...), start(t, append(quick, "--name", "beta")...)
	a.ok("connect", b.Address())
	b.Await("message", "message.id", a.ok("send", b.ID(), "before"))
	a.ok("disconnect", b.ID())
	a.Await("peer_down", "peer", b.ID())
	b.Await("peer_down", "peer", a.ID())
	mark := a.Mark()
	r := startRelay(t, b.URL(), 1, func(r *relay) {
		r.change = inBoth(stripAll)
		r.frames = func(*relayLink, bool, int, []byte) []wireMessage { return nil }
	})
	connected := make(chan result, 1)
	go func() { connected <- a.run("connect", r.addr, "--timeout", "20s") }()
	l := r.link()
	secret := strings.Repeat("secret ", 1000)
	if r := a.run("send", b.ID(), secret); r.code == 0 {
		t.Error("send succeeds")
	}
	if r := <-connected; r.code == 0 {
		t.Errorf("connect succeeds: %s", r.stdout)
	}
	if status := l.dialer.status(t); status != websocket.CloseProtocolError {
		t.Errorf("closed with %d, want 1002", status)
	}
	for _, frame := range l.dialer.recorded() {
		if len(frame) > 1000 {
			t.Errorf("a frame of %d bytes left the initiator", len(frame))
		}
	}
	for _, e := range a.All()[mark:] {
		if e.Kind == "peer_up" || e.Kind == "peer_verified" {
			t.Errorf("during the hold: %s", e.Line)
		}
	}
	if !a.pinned(b.ID()) {
		t.Error("the pin is gone")
	}
	a.ok("connect", b.Address())
	b.Await("message", "message.id", a.ok("send", b.ID(), "after"))
	if got := b.received(a.ID()); len(got) != 2 {
		t.Errorf("arrived: %.40q, want 2 messages", got)
	}
}

// TestPinFollowsThePeersOwnFrame: a pinned peer that offers no session any more shows by its first frame whether it
// has switched them off or was rolled back. Until then nothing but pings leaves, and the peer is not up.
func TestPinFollowsThePeersOwnFrame(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		bind, pinned bool
		warning      string
	}{
		"switched off": {bind: true, pinned: true},
		"rolled back":  {bind: false, pinned: false, warning: "pin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, "--ping-interval", "1s", "--pong-timeout", "20s")
			self := identity(t, "changing")
			first := initiator.inSession(n, refpeer.Options{Identity: self, Pong: true})
			if !n.pinned(self.ID) {
				t.Fatal("a peer that has spoken session/1 is not pinned")
			}
			n.ok("disconnect", self.ID)
			first.awaitEnd()
			n.Await("peer_down", "peer", self.ID)
			mark := n.Mark()
			s := listening(t, refpeer.Options{Identity: self, Bind: tt.bind})
			done := make(chan [2]result, 1)
			go func() {
				connect := n.run("connect", s.Addr(), "--timeout", "20s")
				done <- [2]result{connect, n.run("send", self.ID, "held until the frame")}
			}()
			r := accept(n, s, self)
			for range 2 { // the second ping comes a second later
				if e, err := r.Recv(withTimeout(t)); err != nil || e.Type != "ping" {
					t.Fatalf("before the first frame of the peer arrived %+v, %v", e, err)
				}
			}
			n.Status()
			for _, e := range n.All()[mark:] {
				if e.Kind == "peer_up" {
					t.Errorf("before the first frame of the peer: %s", e.Line)
				}
			}
			if !n.pinned(self.ID) {
				t.Error("the pin ended without a frame of the peer")
			}
			hello := r.say("hello", nil)
			n.AwaitAfter(mark, "peer_up", "peer", self.ID, "session", "smsg", "verified", true)
			n.AwaitAfter(mark, "message", "message.id", hello)
			if e := r.next("chat"); string(e.Payload) != `"held until the frame"` {
				t.Errorf("arrived %+v", e)
			}
			for _, command := range <-done {
				command.want(t, 0)
			}
			if n.pinned(self.ID) != tt.pinned {
				t.Errorf("pinned is %v, want %v", !tt.pinned, tt.pinned)
			}
			if tt.warning != "" {
				n.AwaitStderr("a warning", func(text string) bool { return strings.Contains(text, tt.warning) })
			}
		})
	}
}

// TestRequireRefusesWithoutSession: with `require` on one side a stripped offer fails with the reason.
func TestRequireRefusesWithoutSession(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ a, b, says string }{
		"initiator": {"require", "pin", "this node requires it"}, "responder": {"pin", "require", "session required"},
		"both": {"require", "require", "session required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &sessionRelay{
				a: start(t, "--name", "alpha", "--stdin", "--session", tt.a),
				b: start(t, "--name", "beta", "--stdin", "--session", tt.b),
			}
			s.dial(t, func(r *relay) { r.change = inBoth(stripAll) })
			if s.connect.code == 0 {
				t.Errorf("connect succeeds: %s", s.connect.stdout)
			}
			s.connect.says(t, tt.says)
			if got := len(s.link.dialer.recorded()); got != 0 {
				t.Errorf("%d frames left the initiator, want none", got)
			}
			for _, n := range []*node{s.a, s.b} {
				if up := n.Count("peer_up", "verified", true) + n.Count("peer_verified"); up != 0 {
					t.Errorf("%s: %d peers verified, want none", n.Name(), up)
				}
				n.AwaitStatus("no connection", func(s nodetest.Status) bool {
					return s.Connections.Established+s.Connections.Pending == 0
				})
			}
			s.a.ok("connect", s.b.Address())
			s.b.Await("message", "message.id", s.a.ok("send", s.b.ID(), "directly"))
		})
	}
}
