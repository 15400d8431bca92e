package blackbox

import (
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestOwnAddressIsReported: a node that dials itself reports it, retries once a minute, and counts no bad handshake.
func TestOwnAddressIsReported(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	n := startIn(t, home)
	const what = "this is this node's own address"
	if r := n.run("connect", n.Address()); r.code != 4 || !strings.Contains(r.stderr, what) {
		n.Fatalf("connect to itself: %+v, want exit 4 and %q", r, what)
	}
	address := n.Address()
	n.Stop()
	n = startIn(t, home, "--listen", address, "--peer", address)
	e := n.Await("dial_failed", "address", address, "retryIn", float64(60))
	if got := e.Str("error"); !strings.Contains(got, what) || strings.Contains(got, "handshake") {
		t.Errorf("error %q, want %q", got, what)
	}
}

// TestAllowlistAdmitsPinnedAddresses: in allowlist mode a pinned address is permission, another is not; the error names
// the key and the command, and blames this node.
func TestAllowlistAdmitsPinnedAddresses(t *testing.T) {
	t.Parallel()
	b := start(t)
	pinned := start(t, "--auth", "allowlist", "--peer", b.Address()+"#"+b.ID())
	pinned.Await("peer_up", "peer", b.ID(), "direction", "outbound")

	n := start(t, "--auth", "allowlist", "--peer", b.Address())
	hint := "node allow " + b.Hello.Str("publicKey")
	e := n.Await("dial_failed", "address", b.Address())
	if got := e.Str("error"); !strings.Contains(got, "peer not allowed") || !strings.Contains(got, hint) {
		t.Errorf("error %q, want `peer not allowed` and %q", got, hint)
	}
	r := n.run("connect", b.Address())
	if r.code != 4 || !strings.Contains(r.stderr, hint) || strings.Contains(r.stderr, "the peer runs") {
		n.Fatalf("connect: %+v, want exit 4, %q, and no blame on the peer", r, hint)
	}
	n.ok("allow", b.Hello.Str("publicKey"))
	n.Await("peer_up", "peer", b.ID())
}

// TestRevokedPeerIsNotDialled: after `node revoke` a configured peer is disconnected and its address not dialled.
func TestRevokedPeerIsNotDialled(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	before := b.Status().Counters["dials"]
	b.ok("revoke", a.Hello.Str("publicKey"))
	b.Await("peer_down", "peer", a.ID())
	if r := b.run("connect", a.Address()+"#"+a.ID()); r.code != 4 || !strings.Contains(r.stderr, "revoked here") {
		b.Fatalf("connect to a revoked peer: %+v", r)
	}
	if got := b.Status().Counters["dials"]; got != before {
		t.Errorf("%v dials, want %v", got, before)
	}
}
