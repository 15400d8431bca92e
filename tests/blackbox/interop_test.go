package blackbox

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestDeployedPeerConnects and TestNodeDialsDeployedPeer are the two directions of one conversation.
func TestDeployedPeerConnects(t *testing.T) {
	t.Parallel()
	n := start(t)
	r := dialed(n, refpeer.Options{Pong: true, Identity: identity(t, "deployed")})
	up := n.Await("peer_up", "peer", r.self.ID)
	if up.Str("name") != "deployed" || up.Str("direction") != "inbound" {
		t.Errorf("peer_up %s, want name deployed, inbound", up.Line)
	}
	if r.Peer().ID != n.ID() || r.Peer().PublicKey != n.Hello.Str("publicKey") {
		t.Errorf("the ack shows %+v, want %s", r.Peer(), n.Hello.Line)
	}
	converse(t, n, r)
}

func TestNodeDialsDeployedPeer(t *testing.T) {
	t.Parallel()
	self := identity(t, "deployed")
	s := listening(t, refpeer.Options{Identity: self, Pong: true})
	n := start(t, "--peer", s.Addr())
	r := accept(n, s, self)
	up := n.Await("peer_up", "peer", self.ID)
	if up.Str("name") != "deployed" || up.Str("direction") != "outbound" || up.Fields["verified"] != true ||
		up.Str("address") != s.Addr() {
		t.Errorf("peer_up %s, want name deployed, outbound to %s, verified", up.Line, s.Addr())
	}
	if !slices.Contains(r.Features(), "single-connection") {
		t.Errorf("the handshake announces %q, want single-connection among them", r.Features())
	}
	converse(t, n, r)
}

// converse exchanges one message each way and makes the deployed peer disconnect.
func converse(t *testing.T, n *node, r *reference) {
	t.Helper()
	in := r.say("deploy", map[string]any{"profile": "<default> & \u2028 é"})
	e := n.Await("message", "message.id", in)
	if m := e.Message(); e.Str("peer") != r.self.ID || m.From != r.self.ID || m.Type != "deploy" {
		t.Errorf("arrived as %s", e.Line)
	}
	n.Await("message", "message.id", in, "message.payload.profile", "<default> & \u2028 é")
	out := n.ok("send", r.self.ID, `{"done":true}`, "--type", "deploy_ack")
	if got := r.next("deploy_ack"); got.ID != out || got.From != n.ID() || got.To != r.self.ID ||
		string(got.Payload) != `{"done":true}` {
		t.Errorf("the deployed peer received %+v, want id %s", got, out)
	}
	if r.Unopened() != 0 {
		t.Errorf("Borg cannot open %d of the node's frames", r.Unopened())
	}
	if err := r.Disconnect("shift is over", 1001); err != nil {
		n.Fatalf("reference peer cannot say disconnect: %v", err)
	}
	down := n.Await("peer_down", "peer", r.self.ID)
	if down.Num("code") != 1001 || down.Str("reason") != "shift is over" || down.Fields["remote"] != true {
		t.Errorf("peer_down %s, want code 1001, the peer's reason, remote true", down.Line)
	}
}

// TestBadHandshakesAreRefused: handshakes that must fail. An empty reason matches any.
func TestBadHandshakesAreRefused(t *testing.T) {
	t.Parallel()
	n := start(t)
	public := func(change func(*refpeer.Public)) func(map[string]any) {
		return func(payload map[string]any) {
			p := payload["identity"].(refpeer.Public)
			change(&p)
			payload["identity"] = p
		}
	}
	other := identity(t, "other")
	tests := map[string]struct {
		spoil  func(map[string]any)
		reason string
	}{
		"version 2.0": {
			func(p map[string]any) { p["version"] = "2.0" },
			"incompatible protocol version 2.0, supported: [1.0]",
		},
		"version empty":       {func(p map[string]any) { p["version"] = "" }, ""},
		"another's ID":        {public(func(p *refpeer.Public) { p.ID = other.ID }), ""},
		"empty ID":            {public(func(p *refpeer.Public) { p.ID = "" }), ""},
		"key with a newline":  {public(func(p *refpeer.Public) { p.PublicKey += "\n" }), ""},
		"low-order key":       {public(lowOrder), ""},
		"name of 256 bytes":   {public(func(p *refpeer.Public) { p.Name = strings.Repeat("n", 256) }), "invalid handshake"},
		"name with a newline": {public(func(p *refpeer.Public) { p.Name = "a\nb" }), "invalid handshake"},
		"role of 7 KB":        {public(func(p *refpeer.Public) { p.Role = strings.Repeat("R", 7000) }), "invalid handshake"},
		"role with an escape": {public(func(p *refpeer.Public) { p.Role = "dual\x1b[31m" }), "invalid handshake"},
		"our own key":         {public(func(p *refpeer.Public) { p.ID, p.PublicKey = n.ID(), n.Hello.Str("publicKey") }), ""},
		"challenge too short": {func(p map[string]any) {
			p["challenge"] = base64.StdEncoding.EncodeToString(make([]byte, 31))
		}, ""},
		"no challenge": {func(p map[string]any) { delete(p, "challenge") }, ""},
	}
	for name, tt := range tests {
		conn, err := refpeer.Dial(withTimeout(t), n.URL(), refpeer.Options{Identity: identity(t, name), Spoil: tt.spoil})
		if err == nil {
			conn.Close()
			t.Errorf("%s: let in", name)
		}
		if tt.reason != "" && (err == nil || err.Error() != "refused: "+tt.reason) {
			t.Errorf("%s: %v, want the reason %q", name, err, tt.reason)
		}
	}
	n.AwaitCounter("handshakesRejected", float64(len(tests)))
	for _, e := range n.All() {
		if e.Kind == "peer_up" {
			t.Errorf("a refused peer came up: %s", e.Line)
		}
	}
	dialed(n, refpeer.Options{}).prove() // nothing is left of them
}

// lowOrder gives an identity the all-zero key, with the node ID that belongs to it.
func lowOrder(p *refpeer.Public) {
	key := make([]byte, 32)
	p.PublicKey, p.ID = base64.StdEncoding.EncodeToString(key), refpeer.NodeID(key)
}

// TestResponderMustProveItself dials a peer that shows a key which it does not hold.
func TestResponderMustProveItself(t *testing.T) {
	t.Parallel()
	s := listening(t, refpeer.Options{Spoil: func(p map[string]any) {
		p["challengeResponse"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	}})
	n := start(t, "--peer", s.Addr())
	n.Await("dial_failed", "address", s.Addr())
	for _, e := range n.All() {
		if e.Kind == "peer_up" {
			t.Errorf("an impostor came up: %s", e.Line)
		}
	}
	if c := n.Status().Counters; c["dialsFailed"] < 1 || c["dials"] < c["dialsFailed"] {
		t.Errorf("dials %v, dialsFailed %v; want at least one failed, and no more than all", c["dials"], c["dialsFailed"])
	}
}

func TestPingIsAnswered(t *testing.T) {
	t.Parallel()
	n := start(t)
	r := dialed(n, refpeer.Options{})
	before := time.Now().UnixMilli()
	id := r.say(refpeer.TypePing, map[string]int64{"sentAt": 1234567890123})
	pong := r.next(refpeer.TypePong)
	var times struct{ SentAt, ReceivedAt int64 }
	err := json.Unmarshal(pong.Payload, &times)
	if err != nil || pong.ReplyTo != id || pong.From != n.ID() || times.SentAt != 1234567890123 ||
		times.ReceivedAt < before {
		t.Errorf("pong %+v (%v), want replyTo %s, sentAt echoed, receivedAt now", pong, err, id)
	}
}

// TestSilentPeerIsClosed: a silent peer is pinged every interval and closed after interval and timeout.
func TestSilentPeerIsClosed(t *testing.T) {
	t.Parallel()
	n := start(t, "--ping-interval", "500ms", "--pong-timeout", "4s") // time for the answers of a loaded machine
	alive := dialed(n, refpeer.Options{Pong: true})
	silent := dialed(n, refpeer.Options{})
	silent.prove()
	silent.next(refpeer.TypePing)
	silent.awaitEnd()
	if down := n.Await("peer_down", "peer", silent.self.ID); down.Num("code") != 1003 || down.Fields["remote"] != false {
		t.Errorf("the silent peer ended with %s, want code 1003, remote false", down.Line)
	}
	for range 5 { // five more intervals: the peer that answers is still connected
		alive.next(refpeer.TypePing)
	}
	alive.requireOpen()
	if got := n.Status().Counters["peersTimedOut"]; got != 1 {
		t.Errorf("peersTimedOut is %v, want 1", got)
	}
}
