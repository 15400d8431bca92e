package blackbox

import (
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestDialerReconnectsToKilledListener kills the listening node and starts it again: the dialing node reconnects by
// itself.
func TestDialerReconnectsToKilledListener(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.Kill()
	down := b.Await("peer_down", "peer", a.ID())
	if gone := missing(down.Fields, "peer", "code", "reason", "remote"); len(gone) > 0 || down.Fields["remote"] != false {
		t.Errorf("peer_down lacks %q or claims a disconnect: %s", gone, down.Line)
	}
	failed := b.Await("dial_failed", "address", a.Address())
	if gone := missing(failed.Fields, "address", "error", "retryIn"); len(gone) > 0 || failed.Str("error") == "" {
		t.Errorf("dial_failed lacks %q or gives no error: %s", gone, failed.Line)
	}
	mark := b.Mark()
	again := startIn(t, a.Home(), "--listen", a.Address())
	if again.ID() != a.ID() || again.Hello.Str("name") != "alpha" {
		t.Fatalf("restarted as %s, was %s", again.Name(), a.Name())
	}
	b.AwaitAfter(mark, "peer_up", "peer", a.ID(), "direction", "outbound")
	again.Await("peer_verified", "peer", b.ID())
	id := again.ok("send", b.ID(), "back")
	b.Await("message", "message.id", id)
}

// TestKilledDialerReconnects kills the dialing node, which dials its peer again after a start with the same arguments.
func TestKilledDialerReconnects(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.Kill()
	a.Await("peer_down", "peer", b.ID(), "remote", false)
	mark := a.Mark()
	again := startIn(t, b.Home(), "--peer", a.Address())
	if again.ID() != b.ID() {
		t.Fatalf("restarted as %s, was %s", again.Name(), b.Name())
	}
	a.AwaitAfter(mark, "peer_up", "peer", b.ID(), "direction", "inbound")
	a.AwaitAfter(mark, "peer_verified", "peer", b.ID())
	id := again.ok("send", a.ID(), "back")
	a.Await("message", "message.id", id)
}

// TestPeerBookSurvivesAKill relies on the peer book alone: no --peer at the second start.
func TestPeerBookSurvivesAKill(t *testing.T) {
	t.Parallel()
	a, b := start(t), start(t)
	b.ok("connect", a.Address())
	meet(a, b)
	b.Kill()
	mark := a.Mark()
	again := startIn(t, b.Home())
	again.Await("peer_up", "peer", a.ID(), "direction", "outbound")
	a.AwaitAfter(mark, "peer_verified", "peer", b.ID())
}

// TestRecordedMessageIsDroppedAfterARestart sends the same message before and after a restart: the dedup set survives a
// graceful one, and after a crash messages stamped before the start are stale.
func TestRecordedMessageIsDroppedAfterARestart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		end     func(*node)
		counter string
	}{
		"graceful": {(*node).Stop, "messagesDuplicate"},
		"kill -9":  {(*node).Kill, "messagesStale"},
	} {
		t.Run(name, func(t *testing.T) {
			home, self := nodetest.NewHome(t), identity(t, "reference")
			a := startIn(t, home)
			r := dialed(a, refpeer.Options{Identity: self})
			recorded := r.envelope("chat", "once only")
			r.sendEnvelope(recorded)
			a.Await("message", "message.id", recorded.ID)
			tt.end(a)

			a = startIn(t, home)
			r = dialed(a, refpeer.Options{Identity: self})
			r.sendEnvelope(recorded)
			r.prove()
			if got := a.Messages("chat"); len(got) != 0 {
				t.Errorf("the recorded message was delivered again: %+v", got)
			}
			if n := a.Status().Counters[tt.counter]; n != 1 {
				t.Errorf("%s is %v, want 1", tt.counter, n)
			}
		})
	}
}

// TestDataDirectoryIsNotShared starts a second node with the data directory of a running one.
func TestDataDirectoryIsNotShared(t *testing.T) {
	t.Parallel()
	a := start(t)
	r := a.run("run", "--listen", "127.0.0.1:0", "--admin", "")
	r.want(t, 1)
	if got := a.Status().Identity["id"]; got != a.ID() {
		t.Errorf("the first node does not answer any more: status of %v", got)
	}
}
