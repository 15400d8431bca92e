package blackbox

import (
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestListenerIsKilled kills the listening node and starts it again: the dialing one comes back by itself.
func TestListenerIsKilled(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.kill()
	down := b.await("peer_down", "peer", a.id())
	if gone := missing(down.fields, "peer", "code", "reason", "remote"); len(gone) > 0 || down.fields["remote"] != false {
		t.Errorf("peer_down lacks %q or claims a goodbye: %s", gone, down.line)
	}
	failed := b.await("dial_failed", "address", a.address())
	if gone := missing(failed.fields, "address", "error", "retryIn"); len(gone) > 0 || failed.str("error") == "" {
		t.Errorf("dial_failed lacks %q or gives no error: %s", gone, failed.line)
	}
	mark := b.mark()
	again := startIn(t, a.home, "--listen", a.address())
	if again.id() != a.id() || again.hello.str("name") != "alpha" {
		t.Fatalf("restarted as %s, was %s", again.name(), a.name())
	}
	b.awaitAfter(mark, "peer_up", "peer", a.id(), "direction", "outbound")
	again.await("peer_verified", "peer", b.id())
	id := again.ok("send", b.id(), "back")
	b.await("message", "message.id", id)
}

// TestDialerIsKilled kills the dialing node, which finds its peer again when it is started as before.
func TestDialerIsKilled(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.kill()
	a.await("peer_down", "peer", b.id(), "remote", false)
	mark := a.mark()
	again := startIn(t, b.home, "--peer", a.address())
	if again.id() != b.id() {
		t.Fatalf("restarted as %s, was %s", again.name(), b.name())
	}
	a.awaitAfter(mark, "peer_up", "peer", b.id(), "direction", "inbound")
	a.awaitAfter(mark, "peer_verified", "peer", b.id())
	id := again.ok("send", a.id(), "back")
	a.await("message", "message.id", id)
}

// TestPeerBookSurvivesAKill relies on the peer book alone: no --peer at the second start.
func TestPeerBookSurvivesAKill(t *testing.T) {
	t.Parallel()
	a, b := start(t), start(t)
	b.ok("connect", a.address())
	meet(a, b)
	b.kill()
	mark := a.mark()
	again := startIn(t, b.home)
	again.await("peer_up", "peer", a.id(), "direction", "outbound")
	a.awaitAfter(mark, "peer_verified", "peer", b.id())
}

// TestRecordedMessageAfterARestart sends the same message before and after a restart: the dedup set survives a
// graceful one, and after a crash what was stamped before the start is stale.
func TestRecordedMessageAfterARestart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end     func(*node)
		counter string
	}{
		"graceful": {(*node).stop, "messagesDuplicate"},
		"kill -9":  {(*node).kill, "messagesStale"},
	} {
		t.Run(name, func(t *testing.T) {
			home, self := newHome(t), identity(t, "reference")
			a := startIn(t, home)
			r := dialed(a, refpeer.Options{Identity: self})
			recorded := r.envelope("chat", "once only")
			r.sendEnvelope(recorded)
			a.await("message", "message.id", recorded.ID)
			tt.end(a)

			a = startIn(t, home)
			r = dialed(a, refpeer.Options{Identity: self})
			r.sendEnvelope(recorded)
			r.prove()
			if got := a.messages("chat"); len(got) != 0 {
				t.Errorf("the recorded message was delivered again: %+v", got)
			}
			if n := a.status().Counters[tt.counter]; n != 1 {
				t.Errorf("%s is %v, want 1", tt.counter, n)
			}
		})
	}
}

// TestDataDirectoryIsNotShared starts a second node over the data of one that runs.
func TestDataDirectoryIsNotShared(t *testing.T) {
	t.Parallel()
	a := start(t)
	r := a.run("run", "--listen", "127.0.0.1:0", "--admin", "")
	r.want(t, 1)
	if got := a.status().Identity["id"]; got != a.id() {
		t.Errorf("the first node does not answer any more: status of %v", got)
	}
}
