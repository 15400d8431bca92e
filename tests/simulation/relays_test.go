package simulation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// TestRelaysAreNoticed puts each relay between two nodes that have pinned each other, and between two that have not.
// The checks of a passage report a relay that is not noticed, and messages over SMSG.
func TestRelaysAreNoticed(t *testing.T) {
	for i, kind := range slices.Concat(mitmKinds, mitmKinds) {
		pins := i < len(mitmKinds)
		t.Run(fmt.Sprintf("%s, pinned %t", kind, pins), func(t *testing.T) {
			runPair(t, false, func(w *world) {
				a, b := w.nodes[0], w.nodes[1]
				if !pins {
					w.restart(supervisor.SessionPrefer, supervisor.SessionPrefer)
				}
				for range 8 {
					w.intercept(a, b, kind, true, true, 12*time.Second)
					w.chatter(a, b)
					w.pass(14 * time.Second)
					w.check()
				}
				if pins && (!a.pins(b.id) || !b.pins(a.id)) {
					w.fault("pinned %t there, %t back", a.pins(b.id), b.pins(a.id))
				}
			})
		})
	}
}

// TestRollbackEndsPinWithWarning replaces a pinned peer by a deployed node, which gets messages after a warning, and
// upgrades it again.
func TestRollbackEndsPinWithWarning(t *testing.T) {
	runPair(t, false, func(w *world) {
		a, b := w.nodes[0], w.nodes[1]
		b.stop()
		b.rollBack(true)
		w.pass(quiet)
		w.check()
		w.probe(a, b) // collect checks the warning
		if a.pins(b.id) || !a.warned[b.id] {
			w.fault("pinned %t, warned %t after the rollback", a.pins(b.id), a.warned[b.id])
		}
		b.start()
		w.pass(quiet)
		if !a.pins(b.id) {
			w.fault("not pinned after the upgrade")
		}
	})
}

// TestSessionsChangeKeys lets hours pass, with and without messages.
func TestSessionsChangeKeys(t *testing.T) {
	runPair(t, false, func(w *world) {
		a, b := w.nodes[0], w.nodes[1]
		before := a.transport.GetConnection(b.id)
		for range 5 {
			w.pass(time.Hour + time.Minute)
			w.probe(a, b)
			w.probe(b, a)
		}
		if a.transport.GetConnection(b.id) != before || before.Strength() != supervisor.Session {
			w.fault("the session ended")
		}
	})
}

// TestRecordsKeepTheOrder posts bursts of messages, which share records. checkDelivery reports a message that arrives
// after a later one.
func TestRecordsKeepTheOrder(t *testing.T) {
	runPair(t, false, func(w *world) {
		for range 10 {
			for from, n := range w.nodes {
				to := w.nodes[1-from]
				var batch []*wire.Message
				for range 30 {
					batch = append(batch, w.message(n, typeTell, to.id))
				}
				w.burst(from, to.index, n.transport.GetConnection(to.id), batch)
			}
			w.pass(3 * time.Second)
			w.check()
		}
	})
}

// restart restarts the nodes with these modes and new peer books.
func (w *world) restart(modes ...supervisor.SessionMode) {
	for i, mode := range modes {
		n := w.nodes[i]
		n.stop()
		n.book = nil
		n.setMode(mode)
		n.start()
	}
	w.pass(15 * time.Second)
}

// TestModesMeet connects two nodes of each pair of modes.
func TestModesMeet(t *testing.T) {
	all := []supervisor.SessionMode{
		supervisor.SessionOff, supervisor.SessionPrefer, supervisor.SessionPin, supervisor.SessionRequire,
	}
	for _, first := range all {
		for _, second := range all {
			runPair(t, false, func(w *world) {
				w.restart(first, second)
				w.pass(quiet)
				w.check()
			}) // its end checks the format
		}
	}
}
