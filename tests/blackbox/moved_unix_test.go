//go:build unix

package blackbox

import (
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestPeerMovedNamesBothConnections: a process is stopped and another one takes its place, with a copy of its data.
func TestPeerMovedNamesBothConnections(t *testing.T) {
	t.Parallel()
	hub := start(t, "--pong-timeout", "1s")
	old := start(t, "--name", "mover", "--peer", hub.Address())
	meet(hub, old)
	other := nodetest.NewHome(t)
	copyData(t, old.Home(), other)
	first := hub.Await("peer_up", "peer", old.ID()).Number(t, "connection")
	old.Signal(syscall.SIGSTOP)
	fresh := startIn(t, other, "--stdin", "--peer", hub.Address())
	e := hub.Await("peer_moved", "peer", old.ID())
	e.WantKeys(t, "", "peer", "from", "to")
	from, to := e.Number(t, "from"), e.Number(t, "to")
	if from != first || to == from {
		t.Errorf("moved from %d to %d, want from %d: %s", from, to, first, e.Line)
	}
	if p := hub.listing(old.ID()); p.Connection != to {
		t.Errorf("peers shows connection %d, want %d", p.Connection, to)
	}
	fresh.WriteLines(`{"to":"` + hub.ID() + `","payload":"here"}`)
	if got := hub.Await("message", "peer", old.ID()).Number(t, "connection"); got != to {
		t.Errorf("a message comes over connection %d, want %d", got, to)
	}
	if up, down := hub.Count("peer_up"), hub.Count("peer_down"); up != 1 || down != 0 {
		t.Errorf("%d peer_up and %d peer_down, want 1 and none", up, down)
	}
}
