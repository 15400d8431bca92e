//go:build unix

package blackbox

import (
	"syscall"
	"testing"
)

// TestStoppedPeersAreNoticedAndReturn: three of four peers of a hub are stopped by SIGSTOP. The hub reports them as
// down after its silence limit, the fourth exchanges messages meanwhile, and the three return when they continue.
func TestStoppedPeersAreNoticedAndReturn(t *testing.T) {
	t.Parallel()
	hub := start(t, "--ping-interval", "1s", "--pong-timeout", "4s", "--stdin") // time for the fourth
	var peers []*node
	for range 4 {
		p := start(t, "--peer", hub.Address(), "--stdin")
		meet(hub, p)
		peers = append(peers, p)
	}
	stopped, fourth := peers[:3], peers[3]
	for _, p := range stopped {
		p.Signal(syscall.SIGSTOP)
	}
	for _, p := range stopped {
		e := hub.Await("peer_down", "peer", p.ID())
		if e.Number(t, "code") != 1003 || e.Fields["remote"] != false {
			t.Errorf("a stopped peer ended as %s, want code 1003 and remote false", e.Line)
		}
		fourth.WriteLines(`{"to":"` + hub.ID() + `","payload":"` + p.ID() + `"}`)
		hub.Await("message", "message.payload", p.ID())
	}
	for _, p := range stopped {
		p.Signal(syscall.SIGCONT)
	}
	for _, p := range stopped {
		p.AwaitCount(2, "peer_up", "peer", hub.ID())
		p.WriteLines(`{"to":"` + hub.ID() + `","payload":"back"}`)
		hub.Await("message", "peer", p.ID(), "message.payload", "back")
	}
	if downs := hub.Count("peer_down"); downs != 3 {
		t.Errorf("%d peer_down at the hub, want 3", downs)
	}
}
