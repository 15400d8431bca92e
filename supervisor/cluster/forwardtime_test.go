package cluster_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// A claim of another member shows that the home may have ended: its senders do not wait for a missing heartbeat.
func TestForwardEndsWhenTheKilledHomeIsReplaced(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		a := w.members["a"]
		a.deliver = func(relayed) func() { return nil } // nothing is written
		for range 100 {
			_, _, _ = sent.forward(w.members["b"], "peer", supervisor.ForwardWritten)
		}
		time.Sleep(10 * time.Millisecond)
		w.kill("a")
		w.members["c"].connect("peer")
		time.Sleep(50 * time.Millisecond)
		if counts := sent.check(t, 60*time.Millisecond, deliveries(a)); counts["unconfirmed"] != 100 {
			t.Errorf("results %v, want 100 times unconfirmed", counts)
		}
	})
}

// The wait to be sent counts, also while the member is heard of: its acks of another message arrive.
func TestForwardEndsInTimeWhenAcksAreLost(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		b, slow := w.members["b"], true
		w.members["a"].deliver = func(d relayed) func() {
			if slow { // the first message waits for its peer
				slow = false
				time.AfterFunc(2900*time.Millisecond, func() { d.done(supervisor.Forwarded{}) })
				return nil
			}
			d.done(supervisor.Forwarded{})
			return nil
		}
		forward := func(n int) {
			for range n {
				_, _, _ = sent.forward(b, "peer", supervisor.ForwardAnswered)
			}
		}
		forward(1)
		time.Sleep(400 * time.Millisecond) // acknowledged: the member is not silent
		w.net.Drop(".ack")
		forward(8*256 + 10) // the last 10 wait for an ack
		time.Sleep(time.Second)
		w.net.Drop("")
		time.Sleep(600 * time.Millisecond)
		w.net.Drop(".ack")
		time.Sleep(800 * time.Millisecond)
		w.net.Drop("")
		time.Sleep(5 * time.Second)
		counts := sent.check(t, 2*time.Second, deliveries(w.members["a"]))
		if want := map[string]int{"<nil>": 1, "unconfirmed": 8*256 + 10}; !maps.Equal(counts, want) {
			t.Errorf("results %v, want %v", counts, want)
		}
	})
}

// Batches whose first message waits for its peer: the results of the others arrive a few milliseconds later, of each
// batch, also of one that arrives while the results of another one are due.
func TestForwardReportsResultsOfOverlappingBatches(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		a, b := w.members["a"], w.members["b"]
		a.connect("slow")
		time.Sleep(10 * time.Millisecond)
		a.deliver = func(d relayed) func() {
			if d.Peer == "slow" {
				time.AfterFunc(100*time.Millisecond, func() { d.done(supervisor.Forwarded{}) })
			} else {
				d.done(supervisor.Forwarded{})
			}
			return nil
		}
		forward := func(peer string, n int) (id string) {
			for range n {
				id, _, _ = sent.forward(b, peer, supervisor.ForwardWritten)
			}
			return id
		}
		forward("slow", 1) // a batch of its own
		time.Sleep(time.Millisecond / 2)
		forward("slow", 2)         // one in a batch of its own
		last := forward("peer", 1) // in a batch with the other one
		time.Sleep(50 * time.Millisecond)
		if got := sent.of(last); got.calls != 1 || got.took > 20*time.Millisecond {
			t.Errorf("%d results after %v", got.calls, got.took)
		}
		time.Sleep(time.Second)
		if counts := sent.check(t, 0, deliveries(a)); counts["<nil>"] != 4 {
			t.Errorf("results %v", counts)
		}
	})
}

// A member stands still for 1.4 s with a message, says then that the message waits there, and its result is lost: the
// message ends 2 s after that sign at the latest, and not earlier than after 1.5 s of silence.
func TestForwardEndsTwoSecondsAfterTheLastSign(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		a, b := w.members["a"], w.members["b"]
		a.deliver = func(d relayed) func() {
			wait := time.Duration(0)
			if d.Mode == supervisor.ForwardAnswered { // reported later than the other one of its batch
				wait = 20 * time.Millisecond
				time.AfterFunc(wait/2, func() { w.net.Cut("a", "b", true) })
			}
			time.AfterFunc(wait, func() { d.done(supervisor.Forwarded{}) })
			return nil
		}
		a.bus.Freeze(true)
		_, _, _ = sent.forward(b, "peer", supervisor.ForwardWritten) // a batch of its own
		_, _, _ = sent.forward(b, "peer", supervisor.ForwardWritten)
		lost, _, _ := sent.forward(b, "peer", supervisor.ForwardAnswered)
		time.Sleep(1400 * time.Millisecond)
		a.bus.Freeze(false)
		time.Sleep(4 * time.Second)
		got := sent.of(lost)
		if silent := got.took - 1400*time.Millisecond; !errors.Is(got.Err, supervisor.ErrUnconfirmed) ||
			silent < 1500*time.Millisecond || silent > 2*time.Second {
			t.Errorf("ended %v after the member went on: %v", silent, got.Err)
		}
		sent.afterSign = 2 * time.Second
		if counts := sent.check(t, 2*time.Second, deliveries(a)); counts["<nil>"] != 2 {
			t.Errorf("results %v, want two without an error", counts)
		}
	})
}
