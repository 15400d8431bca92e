//go:build unix

package blackbox

import (
	"syscall"
	"testing"
	"time"
)

// TestPeerMovedNamesBothConnections: a process is stopped and another one takes its place, with a copy of its data.
func TestPeerMovedNamesBothConnections(t *testing.T) {
	t.Parallel()
	hub := start(t, "--pong-timeout", "1s")
	old := start(t, "--name", "mover", "--peer", hub.address())
	meet(hub, old)
	other := newHome(t)
	copyData(t, old.home, other)
	first := hub.await("peer_up", "peer", old.id()).number(t, "connection")
	old.signal(syscall.SIGSTOP)
	fresh := startIn(t, other, "--stdin", "--peer", hub.address())
	e := hub.await("peer_moved", "peer", old.id())
	e.wantKeys(t, "", "peer", "from", "to")
	from, to := e.number(t, "from"), e.number(t, "to")
	if from != first || to == from {
		t.Errorf("moved from %d to %d, want from %d: %s", from, to, first, e.line)
	}
	if p := hub.listing(old.id()); p.Connection != to {
		t.Errorf("peers shows connection %d, want %d", p.Connection, to)
	}
	fresh.write(`{"to":"` + hub.id() + `","payload":"here"}`)
	if got := hub.await("message", "peer", old.id()).number(t, "connection"); got != to {
		t.Errorf("a message comes over connection %d, want %d", got, to)
	}
	if up, down := hub.count("peer_up"), hub.count("peer_down"); up != 1 || down != 0 {
		t.Errorf("%d peer_up and %d peer_down, want 1 and none", up, down)
	}
}

// TestStdinAwaitsTheFirstDial writes a line for a configured peer that does not answer the dial yet.
func TestStdinAwaitsTheFirstDial(t *testing.T) {
	t.Parallel()
	b := start(t, "--name", "beta")
	b.signal(syscall.SIGSTOP)
	a := startIn(t, newHome(t), "--stdin", "--peer", b.address())
	a.write(`{"to":"beta","type":"early","payload":1}`)
	time.Sleep(300 * time.Millisecond) // the line is read, and its peer is still stopped
	b.signal(syscall.SIGCONT)
	if got := b.await("message", "message.type", "early").message(); string(got.Payload) != "1" {
		t.Errorf("arrived as %+v", got)
	}
	if text := a.stderr.String(); text != "" {
		t.Errorf("the line put something on standard error:\n%s", text)
	}
}
