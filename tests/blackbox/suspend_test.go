package blackbox

import (
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestDisconnectForRefusesThePeer: both directions, across a restart, and `node allow` ends it.
func TestDisconnectForRefusesThePeer(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	a := startIn(t, home)
	friend := identity(t, "friend")
	r := dialed(a, refpeer.Options{Identity: friend})
	r.prove()
	b := start(t, "--name", "beta")
	a.ok("connect", b.Address())
	out := a.ok("disconnect", friend.ID, "--for", "1h")
	if !strings.HasPrefix(out, "disconnected "+friend.ID+", refused until ") || strings.Contains(out, "\n") {
		t.Errorf("disconnect prints %q", out)
	}
	r.awaitEnd()
	var gone struct {
		Peer  string
		Until time.Time
	}
	a.json(&gone, "disconnect", "beta", "--for", "1h")
	if left := time.Until(gone.Until); gone.Peer != b.ID() || left > time.Hour || left < 55*time.Minute {
		t.Errorf("disconnect prints %+v", gone)
	}
	a.Await("peer_down", "peer", b.ID())
	var list []struct {
		ID           string
		RefusedUntil time.Time
	}
	a.json(&list, "peers")
	for _, p := range list {
		if left := time.Until(p.RefusedUntil); left > time.Hour || left < 55*time.Minute {
			t.Errorf("peers shows that %s is refused until %v", p.ID, p.RefusedUntil)
		}
	}
	for range 2 {
		if got := refusal(a, refpeer.Options{Identity: friend}); got != "disconnected by the operator" {
			t.Errorf("refused with %q", got)
		}
		c := a.run("connect", b.Address())
		c.want(t, 4)
		c.says(t, "the peer is refused for now")
		a.Stop()
		a = startIn(t, home)
	}
	a.ok("allow", friend.ID)
	list = nil // a key that is left out keeps its old value
	a.json(&list, "peers")
	for _, p := range list {
		if p.RefusedUntil.IsZero() != (p.ID == friend.ID) {
			t.Errorf("peers shows that %s is refused until %v", p.ID, p.RefusedUntil)
		}
	}
	dialed(a, refpeer.Options{Identity: friend}).prove()
	a.run("disconnect", "beta", "--for", "1h", "--forget").want(t, 2)
	a.run("disconnect", "--connection", "1", "--for", "1h").want(t, 2)
	a.run("disconnect", "beta", "--for", "0s").want(t, 2)
}
