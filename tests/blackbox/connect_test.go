package blackbox

import (
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// counterNames are all counters of the contract, the same in `node status` and in /metrics.
var counterNames = []string{
	"messagesReceived", "messagesSent", "bytesReceived", "bytesSent", "framesMalformed", "messagesRateLimited",
	"messagesDuplicate", "messagesStale", "handshakesAccepted", "handshakesRejected", "connectionsRefused",
	"originsRefused", "slowPeersClosed", "peersTimedOut", "actorRestarts", "handlerPanics", "dials", "dialsFailed",
	"messagesAfterGoodbye", "messagesOverPeerRate", "acceptErrors", "bookWriteErrors", "downgradesRefused",
	"subscribersStuck", "logLinesDropped", "eventsLost", "repliesDropped", "clusterChecks", "clusterUnchecked",
	"clusterForwarded", "clusterForwardFailed",
	"clusterClaims", "clusterTaken", "clusterSnapshots", "membersLost",
	"clusterDroppedMalformed", "clusterDroppedVersion", "clusterDroppedRefused", "clusterDroppedUnhandled",
}

// pair starts two nodes of which the second dials the first, and returns them when they are verified.
func pair(t *testing.T) (listener, dialer *node) {
	t.Helper()
	a := start(t, "--name", "alpha")
	b := start(t, "--name", "beta", "--peer", a.Address())
	meet(a, b)
	return a, b
}

// meet waits until two nodes, of which the second dials, are connected and verified.
func meet(listener, dialer *node) {
	listener.t.Helper()
	dialer.Await("peer_up", "peer", listener.ID(), "direction", "outbound", "verified", true)
	listener.Await("peer_up", "peer", dialer.ID(), "direction", "inbound")
	listener.Await("peer_verified", "peer", dialer.ID())
}

func TestListeningIsTheFirstEvent(t *testing.T) {
	t.Parallel()
	n := start(t, "--name", "alpha")
	first := n.All()[0]
	if first.Kind != "listening" {
		n.Fatalf("the first event is %q, want listening", first.Kind)
	}
	if gone := missing(first.Fields, "id", "name", "publicKey", "address", "url", "admin", "control"); len(gone) > 0 {
		t.Errorf("listening lacks %q: %s", gone, first.Line)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(first.Str("publicKey"))
	if err != nil || len(key) != 32 || refpeer.NodeID(key) != n.ID() {
		t.Errorf("id %s is not the node ID of publicKey %q (%v)", n.ID(), first.Str("publicKey"), err)
	}
	if host, port, err := net.SplitHostPort(n.Address()); err != nil || host != "127.0.0.1" || port == "0" {
		t.Errorf("address %q is not the bound host:port", n.Address())
	}
	if want := "ws://" + n.Address() + "/ws"; n.URL() != want {
		t.Errorf("url %q, want %q", n.URL(), want)
	}
	if first.Str("name") != "alpha" || first.Fields["admin"] != "" {
		t.Errorf("name %q and admin %v, want alpha and an empty text", first.Str("name"), first.Fields["admin"])
	}
	control := first.Str("control")
	info, err := os.Stat(control)
	if err != nil {
		n.Fatalf("control socket: %v", err)
	}
	if info.Mode().Type() != os.ModeSocket || info.Mode().Perm() != 0o600 {
		t.Errorf("control %s has mode %v, want a socket with 0600", control, info.Mode())
	}
	if within, err := filepath.Rel(n.Data(), control); err != nil || strings.HasPrefix(within, "..") {
		t.Errorf("control %s is not in the data directory %s", control, n.Data())
	}
}

func TestTwoNodesMeet(t *testing.T) {
	t.Parallel()
	a, b := pair(t)

	out := b.Await("peer_up", "peer", a.ID())
	up := a.Await("peer_up", "peer", b.ID())
	for _, e := range []event{out, up} {
		if gone := missing(e.Fields, "peer", "name", "address", "direction", "verified"); len(gone) > 0 {
			t.Errorf("peer_up lacks %q: %s", gone, e.Line)
		}
	}
	if out.Str("name") != "alpha" || out.Str("address") != a.Address() {
		t.Errorf("peer_up of the dialer: name %q, address %q; want alpha, %s", out.Str("name"), out.Str("address"),
			a.Address())
	}
	// The HMAC proves the responder to the initiator; the initiator proves itself with its first fresh frame.
	if up.Str("name") != "beta" || up.Fields["verified"] != false {
		t.Errorf("peer_up of the listener: name %q, verified %v; want beta, false", up.Str("name"), up.Fields["verified"])
	}

	var list []map[string]any
	b.json(&list, "peers")
	if len(list) != 1 {
		b.Fatalf("peers lists %d peers, want 1", len(list))
	}
	if gone := missing(list[0], "id", "name", "publicKey", "address", "role", "connected", "verified", "direction",
		"rttMs",
		"lastSeen", "addedAt", "persistent", "queued", "allowed"); len(gone) > 0 {
		t.Errorf("peers lacks %q: %v", gone, list[0])
	}
	want := peer{
		ID: a.ID(), Name: "alpha", PublicKey: a.Hello.Str("publicKey"), Address: a.Address(), Role: "dual",
		Direction: "outbound", Connected: true, Verified: true, Persistent: true,
	}
	got := *b.peerByID(a.ID())
	got.Allowed = false // has no meaning in open mode
	if got != want {
		t.Errorf("the dialer lists %+v, want %+v", got, want)
	}
	seen := a.peerByID(b.ID())
	if seen == nil || !seen.Connected || !seen.Verified || seen.Persistent || seen.Direction != "inbound" {
		t.Errorf("the listener lists %+v, want it connected, verified, inbound and not persistent", seen)
	}
}

func TestStatusShowsTheNode(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	var raw map[string]any
	a.json(&raw, "status")
	if gone := missing(raw, "identity", "address", "uptime", "auth", "connections", "counters", "goroutines",
		"heapBytes"); len(gone) > 0 {
		t.Errorf("status lacks %q: %v", gone, raw)
	}
	for _, key := range []string{"goroutines", "heapBytes"} {
		if n, _ := raw[key].(float64); n <= 0 {
			t.Errorf("%s is %v, want a number above 0", key, raw[key])
		}
	}
	s := a.Status()
	if gone := missing(s.Identity, "id", "name", "publicKey", "createdAt", "role"); len(gone) > 0 ||
		s.Identity["id"] != a.ID() {
		t.Errorf("identity lacks %q or is not %s: %v", gone, a.ID(), s.Identity)
	}
	if s.Address != a.Address() || s.Auth != "open" || s.Uptime < 0 {
		t.Errorf("status %+v, want address %s, auth open, uptime not negative", s, a.Address())
	}
	if want := (nodetest.Connections{Established: 1, Pending: 0, Max: 100}); s.Connections != want {
		t.Errorf("connections %+v, want %+v", s.Connections, want)
	}
	for _, name := range counterNames {
		if _, ok := s.Counters[name]; !ok {
			t.Errorf("counter %s is not in status: %v", name, s.Counters)
		}
	}
	if n := s.Counters["handshakesAccepted"]; n != 1 {
		t.Errorf("handshakesAccepted of the listener is %v, want 1", n)
	}
	if n := b.Status().Counters["dials"]; n != 1 {
		t.Errorf("dials of the dialer is %v, want 1", n)
	}
}

// TestBothDialsKeepOneConnection makes two nodes dial each other: one connection remains on both sides.
func TestBothDialsKeepOneConnection(t *testing.T) {
	t.Parallel()
	a := start(t)
	b := start(t, "--peer", a.Address())
	meet(a, b)
	a.ok("connect", b.Address())
	for _, n := range []*node{a, b} {
		n.AwaitStatus("one connection", func(s nodetest.Status) bool {
			return s.Connections.Established == 1 && s.Connections.Pending == 0
		})
	}
	for _, way := range [][2]*node{{a, b}, {b, a}} {
		id := way[0].ok("send", way[1].ID(), "after both have dialled")
		way[1].Await("message", "message.id", id, "peer", way[0].ID())
	}
}

func TestTextOutputNamesPeers(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	for _, args := range [][]string{{"status"}, {"peers"}, {"id"}, {"config"}} {
		if out := a.ok(args...); out == "" {
			t.Errorf("node %q prints nothing", args)
		}
	}
	if out := a.ok("peers"); !strings.Contains(out, b.ID()[:8]) && !strings.Contains(out, "beta") {
		t.Errorf("node peers does not show the peer:\n%s", out)
	}
}
