package blackbox

import (
	"strings"
	"testing"
)

// TestOwnAddress: a node that is told to dial itself says so, retries once a minute, and reports no bad handshake.
func TestOwnAddress(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	n := startIn(t, home)
	const what = "this is this node's own address"
	if r := n.run("connect", n.address()); r.code != 4 || !strings.Contains(r.stderr, what) {
		n.fatalf("connect to itself: %+v, want exit 4 and %q", r, what)
	}
	address := n.address()
	n.stop()
	n = startIn(t, home, "--listen", address, "--peer", address)
	e := n.await("dial_failed", "address", address, "retryIn", float64(60))
	if got := e.str("error"); !strings.Contains(got, what) || strings.Contains(got, "handshake") {
		t.Errorf("error %q, want %q", got, what)
	}
}

// TestAllowlistAndConfiguredPeers: in allowlist mode a pinned address is permission, another is not; the error names
// the key and the command, and blames this node.
func TestAllowlistAndConfiguredPeers(t *testing.T) {
	t.Parallel()
	b := start(t)
	pinned := start(t, "--auth", "allowlist", "--peer", b.address()+"#"+b.id())
	pinned.await("peer_up", "peer", b.id(), "direction", "outbound")

	n := start(t, "--auth", "allowlist", "--peer", b.address())
	hint := "node allow " + b.hello.str("publicKey")
	e := n.await("dial_failed", "address", b.address())
	if got := e.str("error"); !strings.Contains(got, "peer not allowed") || !strings.Contains(got, hint) {
		t.Errorf("error %q, want `peer not allowed` and %q", got, hint)
	}
	r := n.run("connect", b.address())
	if r.code != 4 || !strings.Contains(r.stderr, hint) || strings.Contains(r.stderr, "the peer runs") {
		n.fatalf("connect: %+v, want exit 4, %q, and no blame on the peer", r, hint)
	}
	n.ok("allow", b.hello.str("publicKey"))
	n.await("peer_up", "peer", b.id())
}

// TestRevokedPeerIsNotDialled: after `node revoke` a configured peer is disconnected and its address not dialled.
func TestRevokedPeerIsNotDialled(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	before := b.status().Counters["dials"]
	b.ok("revoke", a.hello.str("publicKey"))
	b.await("peer_down", "peer", a.id())
	if r := b.run("connect", a.address()+"#"+a.id()); r.code != 4 || !strings.Contains(r.stderr, "revoked here") {
		b.fatalf("connect to a revoked peer: %+v", r)
	}
	if got := b.status().Counters["dials"]; got != before {
		t.Errorf("%v dials, want %v", got, before)
	}
}
