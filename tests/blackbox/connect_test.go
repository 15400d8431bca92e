package blackbox

import (
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// counterNames are all counters of the contract, the same in `node status` and in /metrics.
var counterNames = []string{
	"messagesReceived", "messagesSent", "bytesReceived", "bytesSent", "framesMalformed", "messagesRateLimited",
	"messagesDuplicate", "messagesStale", "handshakesAccepted", "handshakesRejected", "connectionsRefused",
	"originsRefused", "slowPeersClosed", "peersTimedOut", "actorRestarts", "handlerPanics", "dials", "dialsFailed",
	"messagesAfterGoodbye", "messagesOverPeerRate", "acceptErrors", "bookWriteErrors", "downgradesRefused",
	"subscribersStuck",
}

// pair starts two nodes of which the second dials the first, and returns them when both have seen each other.
func pair(t *testing.T, args ...string) (listener, dialer *node) {
	t.Helper()
	a := start(t, append([]string{"--name", "alpha"}, args...)...)
	b := start(t, append([]string{"--name", "beta", "--peer", a.address()}, args...)...)
	meet(a, b)
	return a, b
}

// meet waits until two nodes, of which the second dials, have seen and proved each other.
func meet(listener, dialer *node) {
	listener.t.Helper()
	dialer.await("peer_up", "peer", listener.id(), "direction", "outbound", "verified", true)
	listener.await("peer_up", "peer", dialer.id(), "direction", "inbound")
	listener.await("peer_verified", "peer", dialer.id())
}

func TestListeningIsTheFirstEvent(t *testing.T) {
	t.Parallel()
	n := start(t, "--name", "alpha")
	first := n.all()[0]
	if first.kind != "listening" {
		n.fatalf("the first event is %q, want listening", first.kind)
	}
	if gone := missing(first.fields, "id", "name", "publicKey", "address", "url", "admin", "control"); len(gone) > 0 {
		t.Errorf("listening lacks %q: %s", gone, first.line)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(first.str("publicKey"))
	if err != nil || len(key) != 32 || refpeer.NodeID(key) != n.id() {
		t.Errorf("id %s is not the node ID of publicKey %q (%v)", n.id(), first.str("publicKey"), err)
	}
	if host, port, err := net.SplitHostPort(n.address()); err != nil || host != "127.0.0.1" || port == "0" {
		t.Errorf("address %q is not the bound host:port", n.address())
	}
	if want := "ws://" + n.address() + "/ws"; n.url() != want {
		t.Errorf("url %q, want %q", n.url(), want)
	}
	if first.str("name") != "alpha" || first.fields["admin"] != "" {
		t.Errorf("name %q and admin %v, want alpha and an empty text", first.str("name"), first.fields["admin"])
	}
	control := first.str("control")
	info, err := os.Stat(control)
	if err != nil {
		n.fatalf("control socket: %v", err)
	}
	if info.Mode().Type() != os.ModeSocket || info.Mode().Perm() != 0o600 {
		t.Errorf("control %s has mode %v, want a socket with 0600", control, info.Mode())
	}
	if within, err := filepath.Rel(n.data, control); err != nil || strings.HasPrefix(within, "..") {
		t.Errorf("control %s is not in the data directory %s", control, n.data)
	}
}

func TestTwoNodesMeet(t *testing.T) {
	t.Parallel()
	a, b := pair(t)

	out := b.await("peer_up", "peer", a.id())
	up := a.await("peer_up", "peer", b.id())
	for _, e := range []event{out, up} {
		if gone := missing(e.fields, "peer", "name", "address", "direction", "verified"); len(gone) > 0 {
			t.Errorf("peer_up lacks %q: %s", gone, e.line)
		}
	}
	if out.str("name") != "alpha" || out.str("address") != a.address() {
		t.Errorf("peer_up of the dialer: name %q, address %q; want alpha, %s", out.str("name"), out.str("address"), a.address())
	}
	// The HMAC proves the responder to the initiator; the initiator proves itself with its first fresh frame.
	if up.str("name") != "beta" || up.fields["verified"] != false {
		t.Errorf("peer_up of the listener: name %q, verified %v; want beta, false", up.str("name"), up.fields["verified"])
	}

	var list []map[string]any
	b.json(&list, "peers")
	if len(list) != 1 {
		b.fatalf("peers lists %d peers, want 1", len(list))
	}
	if gone := missing(list[0], "id", "name", "publicKey", "address", "role", "connected", "verified", "direction", "rttMs",
		"lastSeen", "addedAt", "persistent", "queued", "allowed"); len(gone) > 0 {
		t.Errorf("peers lacks %q: %v", gone, list[0])
	}
	want := peer{
		ID: a.id(), Name: "alpha", PublicKey: a.hello.str("publicKey"), Address: a.address(), Role: "dual",
		Direction: "outbound", Connected: true, Verified: true, Persistent: true,
	}
	got := *b.peerByID(a.id())
	got.Allowed = false // what it means in open mode is left open
	if got != want {
		t.Errorf("the dialer lists %+v, want %+v", got, want)
	}
	seen := a.peerByID(b.id())
	if seen == nil || !seen.Connected || !seen.Verified || seen.Persistent || seen.Direction != "inbound" {
		t.Errorf("the listener lists %+v, want it connected, verified, inbound and not persistent", seen)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	var raw map[string]any
	a.json(&raw, "status")
	if gone := missing(raw, "identity", "address", "uptime", "auth", "connections", "counters", "goroutines", "heapBytes"); len(gone) > 0 {
		t.Errorf("status lacks %q: %v", gone, raw)
	}
	for _, key := range []string{"goroutines", "heapBytes"} {
		if n, _ := raw[key].(float64); n <= 0 {
			t.Errorf("%s is %v, want a number above 0", key, raw[key])
		}
	}
	s := a.status()
	if gone := missing(s.Identity, "id", "name", "publicKey", "createdAt", "role"); len(gone) > 0 || s.Identity["id"] != a.id() {
		t.Errorf("identity lacks %q or is not %s: %v", gone, a.id(), s.Identity)
	}
	if s.Address != a.address() || s.Auth != "open" || s.Uptime < 0 {
		t.Errorf("status %+v, want address %s, auth open, uptime not negative", s, a.address())
	}
	if want := (connections{Established: 1, Pending: 0, Max: 100}); s.Connections != want {
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
	if n := b.status().Counters["dials"]; n != 1 {
		t.Errorf("dials of the dialer is %v, want 1", n)
	}
}

// TestBothDial has each of two nodes keep up a connection to the other: one connection is left, on both sides.
func TestBothDial(t *testing.T) {
	t.Parallel()
	a := start(t)
	b := start(t, "--peer", a.address())
	meet(a, b)
	a.ok("connect", b.address())
	for _, n := range []*node{a, b} {
		n.awaitStatus("one connection", func(s status) bool {
			return s.Connections.Established == 1 && s.Connections.Pending == 0
		})
	}
	for _, way := range [][2]*node{{a, b}, {b, a}} {
		id := way[0].ok("send", way[1].id(), "after both have dialled")
		way[1].await("message", "message.id", id, "peer", way[0].id())
	}
}

func TestOutputText(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	for _, args := range [][]string{{"status"}, {"peers"}, {"id"}, {"config"}} {
		if out := a.ok(args...); out == "" {
			t.Errorf("node %q prints nothing", args)
		}
	}
	if out := a.ok("peers"); !strings.Contains(out, b.id()[:8]) && !strings.Contains(out, "beta") {
		t.Errorf("node peers does not show the peer:\n%s", out)
	}
}
