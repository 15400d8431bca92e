package supervisor

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/tests/memnet"
)

// A peer is restarted in other modes while a node keeps it connected and sends a message every 100 ms. It is upgraded
// from SMSG to sessions and rolled back. Each message arrives once, or its Send returned an error. The node pins the
// peer and keeps the pin, also with the sessions of the peer off.
func TestUpgradeAndRollbackLoseNothing(t *testing.T) {
	for _, dialler := range []string{"the node", "the peer", "both"} {
		t.Run(dialler, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { upgradePeer(t, dialler) })
		})
	}
}

func upgradePeer(t *testing.T, dialler string) {
	n := memnet.New(1)
	log := newLinesLog()
	const node, peer = "10.0.0.1:9091", "10.0.0.2:9091"
	a := startNode(t, n, 1, func(s *nodeSetup) {
		s.options = append(s.options, WithLogger(slog.New(log)))
		if dialler != "the peer" {
			s.cfg.Peers = []string{peer}
		}
	})
	n.SetLatency("10.0.0.1", "10.0.0.2", 20*time.Millisecond)
	n.SetLatency("10.0.0.2", "10.0.0.1", 20*time.Millisecond)
	keys, err := crypto.NewEphemeralNodeManager("peer", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	id := keys.Identity().ID
	var sent, got []string
	failed := 0
	send := func(during time.Duration) {
		for until := time.Now().Add(during); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
			msg := a.to(id, "chat", len(sent))
			if err := a.Send(id, msg); err != nil {
				failed++
				continue
			}
			sent = append(sent, msg.ID)
		}
	}
	for _, step := range []struct {
		mode    SessionMode
		session bool
		pinned  bool
	}{
		{SessionOff, false, false},
		{SessionPin, true, true}, // upgraded
		{SessionOff, false, true},
		{SessionPrefer, true, true},
		{SessionRequire, true, true},
		{SessionOff, false, true}, // rolled back
	} {
		b := startNode(t, n, 2, inMode(step.mode), func(s *nodeSetup) {
			s.keys = keys
			if dialler != "the node" {
				s.cfg.Peers = []string{node}
			}
		})
		send(90 * time.Second)
		c := a.GetConnection(id)
		if known, _ := a.book.Get(id); c == nil || c.Format().Session != step.session || known.Session != step.pinned {
			t.Errorf("mode %s: the route is %+v, the book has %+v", step.mode, c, known)
		}
		got = append(got, b.got("chat")...)
		established, _ := a.slotCounts()
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
		if established != 1 {
			t.Errorf("mode %s: %d connections, want 1", step.mode, established)
		}
		send(10 * time.Second)
	}
	if !slices.Equal(got, sent) {
		t.Errorf("%d messages arrived, %d were sent without an error, %d failed: %s", len(got), len(sent), failed,
			firstDifference(sent, got))
	}
	if log.count("pin was removed") != 0 || len(eventsOf[DowngradeRefused](a)) != 0 {
		t.Errorf("log %q, events %+v", log.lines, a.seen())
	}
}

// firstDifference describes where two lists differ first.
func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("message %d", i)
		}
	}
	return fmt.Sprintf("the lengths %d and %d", len(a), len(b))
}
