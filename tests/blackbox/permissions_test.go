package blackbox

import (
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// listedKey is an element of `node allowlist --output json`.
type listedKey struct{ Key, ID, Name string }

// allowlist is the result of `node allowlist --output json`.
type allowlist struct {
	Mode             string
	Allowed, Revoked []listedKey
}

// pendingPeer is an element of `node pending --output json`.
type pendingPeer struct {
	ID, Key, Name, Address, FirstAt, LastAt string
	Count                                   int
	Unproven                                bool
}

func (n *node) pending() (list []pendingPeer) {
	n.t.Helper()
	n.json(&list, "pending")
	return list
}

// TestPendingPeerIsAllowedByID: a refused peer is listed with its key and claims, is allowed by its ID, and leaves the
// list.
func TestPendingPeerIsAllowedByID(t *testing.T) {
	t.Parallel()
	a := start(t, "--auth", "allowlist")
	if out := a.ok("pending", "--output", "json"); out != "[]" {
		t.Errorf("pending prints %q, want []", out)
	}
	if out := a.ok("pending"); out != "no peer is pending" {
		t.Errorf("pending prints %q", out)
	}
	friend := identity(t, "friend")
	refusal(a, refpeer.Options{Identity: friend})
	refusal(a, refpeer.Options{Identity: friend})
	list := a.pending()
	if len(list) != 1 {
		t.Fatalf("pending: %+v, want one peer", list)
	}
	p := list[0]
	if p.ID != friend.ID || p.Key != friend.PublicKey || p.Name != "friend" || p.Count != 2 || !p.Unproven ||
		!strings.HasPrefix(p.Address, "127.0.0.1:") || p.FirstAt == "" || p.LastAt < p.FirstAt {
		t.Errorf("pending: %+v", p)
	}
	if out := a.ok("pending"); !strings.Contains(out, "CLAIMED NAME") || !strings.Contains(out, "unproven") ||
		!strings.Contains(out, friend.PublicKey) {
		t.Errorf("pending prints\n%s", out)
	}
	r := a.run("allow", "friend")
	r.want(t, 2)
	r.says(t, "this is only a name that peers claim")
	r.says(t, friend.ID+" (key "+friend.PublicKey+")")
	a.run("allow", "--pending", strings.Repeat("0", 32)).want(t, 4)
	a.run("allow", "--pending").want(t, 2)
	if out := a.ok("allow", "--pending", friend.ID[:8]); out != "allowed "+friend.PublicKey {
		t.Errorf("allow prints %q", out)
	}
	if list := a.pending(); len(list) != 0 {
		t.Errorf("pending after allow: %+v", list)
	}
	dialed(a, refpeer.Options{Identity: friend}).prove()
	if out := a.ok("revoke", friend.ID); out != "revoked "+friend.PublicKey {
		t.Errorf("revoke prints %q", out)
	}
	if list := a.pending(); len(list) != 0 {
		t.Errorf("pending after revoke: %+v", list)
	}
}

// TestAllowlistIsListed: allowed and revoked keys with their IDs and names; the lists are empty, never null.
func TestAllowlistIsListed(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	if out := a.ok("allowlist", "--output", "json"); out != `{"mode":"open","allowed":[],"revoked":[]}` {
		t.Errorf("allowlist prints %s", out)
	}
	if out := a.ok("allowlist"); out != "mode open\nno key is allowed or revoked: `node allow KEY` allows one" {
		t.Errorf("allowlist prints %s", out)
	}
	other := identity(t, "other")
	a.ok("allow", b.ID())
	a.ok("revoke", other.PublicKey)
	var got allowlist
	a.json(&got, "allowlist")
	if len(got.Allowed) != 1 || got.Allowed[0] != (listedKey{b.Hello.Str("publicKey"), b.ID(), "beta"}) ||
		len(got.Revoked) != 1 || got.Revoked[0] != (listedKey{other.PublicKey, other.ID, ""}) {
		t.Errorf("allowlist: %+v", got)
	}
	want := "mode open\nSTATE ID NAME KEY\nallowed " + b.ID() + " beta " + b.Hello.Str("publicKey") + "\nrevoked " +
		other.ID + " - " + other.PublicKey
	if out := squeezed(a.ok("allowlist")); out != want {
		t.Errorf("allowlist prints\n%s, want\n%s", out, want)
	}
}

// squeezed returns a table with single spaces between its columns.
func squeezed(table string) string {
	lines := strings.Split(table, "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Join(lines, "\n")
}

// TestAuthReportsDisconnectedPeers: the change to allowlist reports the peers that it disconnects, and warns if no peer
// is allowed.
func TestAuthReportsDisconnectedPeers(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	const warning = "node: warning: no peer is allowed: " +
		"`node allow KEY` allows one, `node pending` lists the refused ones\n"
	r := a.run("auth", "allowlist")
	if r.code != 0 || r.stdout != "allowlist\ndisconnected 1 peer\n" || r.stderr != warning {
		t.Errorf("auth: exit code %d, %q and %q", r.code, r.stdout, r.stderr)
	}
	b.Await("peer_down", "peer", a.ID())
	a.ok("allow", b.Hello.Str("publicKey"))
	var got struct {
		Auth         string
		Stored       bool
		Disconnected *int
		Warning      string
	}
	a.json(&got, "auth", "allowlist")
	if got.Auth != "allowlist" || !got.Stored || got.Disconnected == nil || *got.Disconnected != 0 || got.Warning != "" {
		t.Errorf("auth with an allowed peer: %+v", got)
	}
	if out := a.ok("auth", "allowlist"); out != "allowlist\ndisconnected 0 peers" {
		t.Errorf("auth prints %q", out)
	}
	if out := a.ok("auth", "open"); out != "open" {
		t.Errorf("auth prints %q", out)
	}
	if out := a.ok("auth"); out != "open" {
		t.Errorf("auth prints %q", out)
	}
}

// TestDialledPeerOffTheAllowlistIsPending: the peer of an address without a pin is refused and listed, and its proof of
// the key is not in doubt.
func TestDialledPeerOffTheAllowlistIsPending(t *testing.T) {
	t.Parallel()
	b := start(t, "--name", "beta")
	n := start(t, "--auth", "allowlist", "--peer", b.Address())
	n.Await("dial_failed", "address", b.Address())
	list := n.pending()
	if len(list) != 1 || list[0].ID != b.ID() || list[0].Address != b.Address() || list[0].Name != "beta" ||
		list[0].Unproven {
		t.Errorf("pending: %+v", list)
	}
	n.ok("allow", "--pending", b.ID())
	n.Await("peer_up", "peer", b.ID())
}

// TestAliasAddressesAPeer: an alias wins over claimed names, survives a restart, addresses its peer in each command,
// and is listed.
func TestAliasAddressesAPeer(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	a := startIn(t, home)
	b := start(t, "--name", "beta", "--peer", a.Address())
	a.Await("peer_verified", "peer", b.ID())
	if out := a.ok("alias", "beta", "robert"); out != b.ID()+" is robert" {
		t.Errorf("alias prints %q", out)
	}
	thief := stranger(a, "robert")
	id := strings.TrimSpace(a.ok("send", "robert", "hello"))
	b.Await("message", "message.id", id)
	r := a.run("alias", thief.self.ID, "robert")
	r.want(t, 2)
	r.says(t, "the alias is that of another peer: "+b.ID())
	a.run("alias", thief.self.ID, strings.Repeat("a", 32)).want(t, 2)
	a.run("alias", thief.self.ID).want(t, 2)
	a.run("alias", "nobody", "x").want(t, 4)
	a.Stop()
	a = startIn(t, home, "--listen", a.Address())
	b.Await("peer_up", "peer", a.ID())
	var list []struct{ ID, Name, Alias string }
	a.json(&list, "peers")
	for _, p := range list {
		if p.ID == b.ID() && (p.Alias != "robert" || p.Name != "beta") || p.ID != b.ID() && p.Alias != "" {
			t.Errorf("peers lists %+v", p)
		}
	}
	if out := a.ok("allow", "robert"); out != "allowed "+b.Hello.Str("publicKey") {
		t.Errorf("allow prints %q", out)
	}
	if out := a.ok("alias", "robert", ""); out != b.ID()+" has no alias" {
		t.Errorf("alias prints %q", out)
	}
	if out := a.ok("alias", "beta", "b", "--output", "json"); out != `{"peer":"`+b.ID()+`","alias":"b"}` {
		t.Errorf("alias prints %q", out)
	}
}
