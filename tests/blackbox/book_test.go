package blackbox

import (
	"strings"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

func TestConnectDisconnectForgetChangeTheBook(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	a, b := start(t, "--name", "alpha"), startIn(t, home)
	if got := b.peers(); got == nil || len(got) != 0 {
		t.Fatalf("a new node lists %+v, want an empty array", got)
	}

	// connect is kept over a graceful restart ...
	b.ok("connect", a.Address())
	meet(a, b)
	if p := b.peerByID(a.ID()); p == nil || !p.Connected || !p.Persistent {
		t.Errorf("after connect: %+v, want connected and persistent", p)
	}
	b.Stop()
	mark := a.Mark()
	b = startIn(t, home)
	b.Await("peer_up", "peer", a.ID(), "direction", "outbound")
	a.AwaitAfter(mark, "peer_verified", "peer", b.ID())

	// ... disconnect ends the connection with a disconnect message, stops redials and keeps the entry ...
	mark = a.Mark()
	b.ok("disconnect", "alpha")
	down := b.Await("peer_down", "peer", a.ID())
	if down.Num("code") != 1000 || down.Fields["remote"] != false {
		t.Errorf("the side that disconnects says %s, want code 1000, remote false", down.Line)
	}
	down = a.AwaitAfter(mark, "peer_down", "peer", b.ID())
	if down.Num("code") != 1000 || down.Fields["remote"] != true {
		t.Errorf("the other side says %s, want code 1000, remote true", down.Line)
	}
	if p := b.peerByID(a.ID()); p == nil || p.Connected || p.Persistent {
		t.Errorf("after disconnect: %+v, want it known, neither connected nor persistent", p)
	}
	r := b.run("send", a.ID(), "anybody?")
	r.want(t, 4)
	r.says(t, "not connected")
	b.Stop()
	b = startIn(t, home)
	if p := b.peerByID(a.ID()); p == nil || p.Connected || p.Persistent || p.Name != "alpha" {
		t.Errorf("after disconnect and restart: %+v, want it known, neither connected nor persistent", p)
	}
	if n := b.Status().Counters["dials"]; n != 0 {
		t.Errorf("after disconnect and restart: %v dials, want none", n)
	}

	// ... and --forget removes it.
	mark = a.Mark()
	b.ok("connect", a.Address())
	a.AwaitAfter(mark, "peer_verified", "peer", b.ID())
	b.ok("disconnect", a.ID(), "--forget")
	b.Await("peer_down", "peer", a.ID())
	if p := b.peerByID(a.ID()); p != nil {
		t.Errorf("after --forget: %+v", p)
	}
	b.Stop()
	b = startIn(t, home)
	if got := b.peers(); len(got) != 0 {
		t.Errorf("after --forget and a restart: %+v", got)
	}
}

// TestForgetRemovesAnAbsentPeer removes a peer that is only in the book.
func TestForgetRemovesAnAbsentPeer(t *testing.T) {
	t.Parallel()
	a, b := start(t), start(t)
	b.ok("connect", a.Address())
	meet(a, b)
	b.ok("disconnect", a.ID())
	b.Await("peer_down", "peer", a.ID())
	b.ok("disconnect", a.ID(), "--forget")
	if got := b.peers(); len(got) != 0 {
		t.Errorf("after --forget: %+v", got)
	}
}

func TestConnectIsRefused(t *testing.T) {
	t.Parallel()
	a := start(t)
	s := listening(t, refpeer.Options{Refuse: "peer not authorized"})
	r := a.run("connect", s.Addr())
	r.want(t, 4)
	r.says(t, "peer not authorized")
}

func TestAllowlistAdmitsListedKeys(t *testing.T) {
	t.Parallel()
	a := start(t, "--auth", "allowlist")
	first, second := identity(t, "first"), identity(t, "second")
	if got := refusal(a, refpeer.Options{Identity: first}); got != "peer not authorized" {
		t.Errorf("refused with %q, want %q", got, "peer not authorized")
	}
	if got := a.Status(); got.Auth != "allowlist" || got.Counters["handshakesRejected"] != 1 ||
		got.Counters["handshakesAccepted"] != 0 {
		t.Errorf("status %+v, want auth allowlist, 1 handshake rejected, none accepted", got)
	}

	a.ok("allow", first.PublicKey, second.PublicKey)
	r := dialed(a, refpeer.Options{Identity: first})
	r.prove()
	other := dialed(a, refpeer.Options{Identity: second})
	other.prove()
	if p := a.peerByID(first.ID); p == nil || !p.Allowed {
		t.Errorf("peers shows %+v, want it allowed", p)
	}

	// The ID of an allowlisted node under another key: the key decides.
	thief := refusal(a, refpeer.Options{Spoil: func(payload map[string]any) {
		public := payload["identity"].(refpeer.Public)
		public.ID = first.ID
		payload["identity"] = public
	}})
	if thief == "" {
		t.Error("refused without a reason")
	}

	a.ok("revoke", first.PublicKey)
	r.awaitEnd()
	if down := a.Await("peer_down", "peer", first.ID); down.Fields["remote"] != false {
		t.Errorf("revoked, but %s, want remote false", down.Line)
	}
	if got := refusal(a, refpeer.Options{Identity: first}); got != "peer not authorized" {
		t.Errorf("after revoke refused with %q, want %q", got, "peer not authorized")
	}
	other.requireOpen()
	a.Await("message", "message.id", other.say("chat", "still here"), "peer", second.ID)
}

// TestAllowlistSurvivesARestart: the keys are kept; the mode is a setting and is passed again.
func TestAllowlistSurvivesARestart(t *testing.T) {
	t.Parallel()
	home, friend := nodetest.NewHome(t), identity(t, "friend")
	a := startIn(t, home, "--auth", "allowlist")
	a.ok("allow", friend.PublicKey)
	a.Kill() // confirmed changes are on the disk
	a = startIn(t, home, "--auth", "allowlist")
	dialed(a, refpeer.Options{Identity: friend}).prove()
	refusal(a, refpeer.Options{})
}

func TestAuthModeFollowsTheCommand(t *testing.T) {
	t.Parallel()
	a := start(t)
	if out := a.ok("auth"); !strings.Contains(out, "open") {
		t.Errorf("node auth shows %q, want open", out)
	}
	if r := a.run("auth", "allowlist"); r.code != 0 { // with a warning: no peer is allowed
		t.Errorf("node auth allowlist: exit code %d, %q", r.code, r.stderr)
	}
	if out := a.ok("auth"); !strings.Contains(out, "allowlist") {
		t.Errorf("node auth shows %q, want allowlist", out)
	}
	if got := a.Status().Auth; got != "allowlist" {
		t.Errorf("status says auth %q, want allowlist", got)
	}
	if got := refusal(a, refpeer.Options{}); got != "peer not authorized" {
		t.Errorf("refused with %q", got)
	}
	a.ok("auth", "open")
	dialed(a, refpeer.Options{}).prove()
	a.run("auth", "sometimes").want(t, 2)
	a.run("allow", "no key").want(t, 2)
	a.run("revoke", "no key").want(t, 2)
}
