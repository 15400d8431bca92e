package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// withPeer starts members a, b and c with the peer connected to a.
func withPeer(t *testing.T, run func(t *testing.T, w *world, sent *forwards)) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		w.members["a"].connect("peer")
		time.Sleep(10 * time.Millisecond)
		run(t, w, &forwards{})
	})
}

func TestForwardKeepsTheOrderOfMessages(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		var ids []string
		for range 1500 {
			id, _, err := sent.forward(w.members["b"], "peer", supervisor.ForwardWritten)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		time.Sleep(time.Second)
		if got := w.members["a"].received(); !slices.Equal(got, ids) {
			t.Errorf("%d messages of %d arrived, or in another order", len(got), len(ids))
		}
		sent.check(t, 2*time.Second, deliveries(w.members["a"]))
	})
}

// TestForwardGathersTheMessagesOfABatch requires one gathering for each batch: the peer's writer waits for its end.
// Each batch is as large as those without an ack together, and the last one waits for acks.
func TestForwardGathersTheMessagesOfABatch(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		a := w.members["a"]
		for range 256 + 1 {
			if _, _, err := sent.forward(w.members["b"], "peer", supervisor.ForwardWritten); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		a.lock.Lock()
		defer a.lock.Unlock()
		sizes := slices.Sorted(maps.Values(a.gatherings))
		if a.gatherings[nil] != 0 || !slices.Equal(sizes, []int{1, 1, 1, 2, 4, 8, 16, 32, 64, 128}) {
			t.Errorf("%d messages without a gathering; gatherings of %v", a.gatherings[nil], sizes)
		}
	})
}

func TestForwardRefusesAPeerWithoutAHome(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		for peer, from := range map[string]string{"stranger": "b", "peer": "a"} {
			if _, _, err := sent.forward(w.members[from], peer, 0); !errors.Is(err, supervisor.ErrNotConnected) {
				t.Errorf("%s: error %v", peer, err)
			}
		}
		sent.check(t, 0, nil)
	})
}

func TestForwardRefusesBadMessages(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, _ *forwards) {
		large := &wire.Message{ID: "i", Type: "t", Timestamp: time.Now(), Payload: make([]byte, 9<<20)}
		for i := range large.Payload {
			large.Payload[i] = '1'
		}
		for want, msg := range map[error]*wire.Message{
			supervisor.ErrInvalidMessage: {}, supervisor.ErrTooLarge: large,
		} {
			_, err := w.members["b"].engine.Forward(supervisor.Forwarding{Peer: "peer", Message: msg}, nil)
			if !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
		}
	})
}

// The errors of another member can be tested as those of this one.
func TestForwardReturnsTheErrorOfTheHome(t *testing.T) {
	for _, want := range []error{
		supervisor.ErrQueueFull, supervisor.ErrPaced, supervisor.ErrClosed, supervisor.ErrWriteTimeout,
		supervisor.ErrTooLarge, supervisor.ErrUnconfirmed, supervisor.ErrNotAccepted, context.DeadlineExceeded,
		supervisor.ErrInvalidMessage, errors.New("anything else"),
	} {
		withPeer(t, func(t *testing.T, w *world, sent *forwards) {
			fault := want
			switch {
			case errors.Is(want, supervisor.ErrUnconfirmed):
				fault = &supervisor.UnconfirmedError{Cause: supervisor.ErrClosed}
			case errors.Is(want, supervisor.ErrNotAccepted):
				fault = &supervisor.NotAcceptedError{Receipt: wire.ReceiptStale}
			case errors.Is(want, supervisor.ErrInvalidMessage):
				fault = fmt.Errorf("%w: the reason", want)
			}
			w.members["a"].deliver = func(d relayed) func() {
				d.done(supervisor.Forwarded{Err: &supervisor.PeerError{Peer: d.Peer, Err: fault}})
				return nil
			}
			id, _, _ := sent.forward(w.members["b"], "peer", supervisor.ForwardWritten)
			time.Sleep(10 * time.Millisecond)
			got := sent.of(id)
			if got.calls != 1 || got.Err == nil || got.Err.Error() != fault.Error() {
				t.Fatalf("error %v (%d results), want %v", got.Err, got.calls, fault)
			}
			if coded := want.Error() != "anything else"; coded && !errors.Is(got.Err, want) {
				t.Errorf("%v is not %v", got.Err, want)
			}
		})
	}
}

// A message that waits for its peer holds up no other one, and is answered as long as it waits.
func TestForwardWaitsForASlowPeerOnly(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		a := w.members["a"]
		a.connect("slow")
		time.Sleep(10 * time.Millisecond)
		a.deliver = func(d relayed) func() {
			if d.Peer == "slow" {
				time.AfterFunc(30*time.Second, func() { d.done(supervisor.Forwarded{}) })
			} else {
				d.done(supervisor.Forwarded{})
			}
			return nil
		}
		slow, _, _ := sent.forward(w.members["b"], "slow", supervisor.ForwardWritten)
		for range 20 {
			fast, _, _ := sent.forward(w.members["b"], "peer", supervisor.ForwardWritten)
			time.Sleep(20 * time.Millisecond)
			if got := sent.of(fast); got.calls != 1 || got.took > 15*time.Millisecond {
				t.Errorf("%d results after %v", got.calls, got.took)
			}
		}
		time.Sleep(30 * time.Second)
		if got := sent.of(slow); got.calls != 1 || got.Err != nil || got.took < 30*time.Second {
			t.Errorf("the slow one: %+v", got)
		}
		sent.check(t, 2*time.Second, deliveries(a))
	})
}

// To a member that acknowledges nothing, 16 batches are in flight, 9 of them with 256 messages together, and one waits
// that is full. Others are not held up.
func TestForwardRefusesWhatASlowMemberCannotTake(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		w.members["b"].connect("other")
		time.Sleep(10 * time.Millisecond)
		w.members["a"].bus.Freeze(true)
		accepted := 0
		var err error
		for err == nil && accepted < 10_000 {
			if _, _, err = sent.forward(w.members["c"], "peer", supervisor.ForwardWritten); err == nil {
				accepted++
			}
		}
		if want := 256 + 7*256 + 256; accepted != want || !errors.Is(err, supervisor.ErrQueueFull) {
			t.Errorf("%d accepted, want %d; then %v", accepted, want, err)
		}
		id, _, _ := sent.forward(w.members["c"], "other", supervisor.ForwardWritten)
		time.Sleep(10 * time.Millisecond)
		if got := sent.of(id); got.calls != 1 || got.Err != nil {
			t.Errorf("through the other member: %+v", got)
		}
		w.members["a"].bus.Freeze(false)
		time.Sleep(100 * time.Millisecond)
		counts := sent.check(t, 2*time.Second, deliveries(w.members["a"], w.members["b"]))
		if counts["<nil>"] != accepted+1 {
			t.Errorf("results %v", counts)
		}
	})
}

// A peer that has moved gets the message from its new home, once, although the sender knows only the old one.
func TestForwardFollowsAMovedPeerOnce(t *testing.T) {
	for _, to := range []string{"b", "c"} { // another member, or the sender itself
		withPeer(t, func(t *testing.T, w *world, sent *forwards) {
			w.net.Delay(50*time.Millisecond, 50*time.Millisecond)
			go w.members[to].connect("peer")
			time.Sleep(5 * time.Millisecond) // the message arrives when a has granted the peer and c does not know it
			id, _, err := sent.forward(w.members["c"], "peer", supervisor.ForwardWritten)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if got := sent.of(id); got.calls != 1 || got.Err != nil {
				t.Errorf("%+v", got)
			}
			if got := w.members[to].received(); !slices.Equal(got, []string{id}) {
				t.Errorf("the new home got %v", got)
			}
			sent.check(t, 2*time.Second, deliveries(w.members["a"], w.members["b"], w.members["c"]))
		})
	}
}

// Two members that name each other as the home of a peer do not pass a message back and forth.
func TestForwardFollowsNoPeerTwice(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		a, b := w.members["a"], w.members["b"]
		for _, p := range []*process{b, a} {
			p.connect("peer")
			time.Sleep(20 * time.Millisecond)
		}
		a.mu.Lock()
		delete(a.open, "peer") // a does not release it, and b was granted it before
		a.mu.Unlock()
		id, _, _ := sent.forward(w.members["c"], "peer", supervisor.ForwardWritten)
		time.Sleep(time.Second)
		if got := sent.of(id); got.calls != 1 || !errors.Is(got.Err, supervisor.ErrNotConnected) {
			t.Errorf("%+v", got)
		}
		if a.asked != 1 || b.asked != 1 {
			t.Errorf("a was asked %d times and b %d times, want once each", a.asked, b.asked)
		}
		sent.check(t, 2*time.Second, deliveries(a, b))
	})
}

func TestForwardReturnsReplies(t *testing.T) {
	for _, size := range []int{10, 1 << 20} {
		withPeer(t, func(t *testing.T, w *world, sent *forwards) {
			payload := make([]byte, size)
			for i := range payload {
				payload[i] = '1'
			}
			var want *wire.Message
			w.members["a"].deliver = func(d relayed) func() {
				want, _ = wire.NewMessage("answer", d.Peer, "node", nil)
				want.Payload, want.ReplyTo = payload, d.Message.ID
				d.done(supervisor.Forwarded{Reply: want})
				return nil
			}
			id, _, _ := sent.forward(w.members["b"], "peer", supervisor.ForwardAnswered)
			time.Sleep(100 * time.Millisecond)
			got := sent.of(id)
			if got.calls != 1 || got.Err != nil || got.Reply == nil {
				t.Fatalf("%+v", got)
			}
			if got.Reply.ID != want.ID || got.Reply.From != "peer" || got.Reply.ReplyTo != id ||
				got.Reply.To != "node" || string(got.Reply.Payload) != string(payload) ||
				!got.Reply.Timestamp.Equal(want.Timestamp) {
				t.Errorf("reply %.200v", got.Reply)
			}
		})
	}
}

func TestCancelEndsTheDeliveryAtTheHome(t *testing.T) {
	withPeer(t, func(t *testing.T, w *world, sent *forwards) {
		w.members["a"].deliver = func(d relayed) func() {
			return func() { d.done(supervisor.Forwarded{Err: context.Canceled}) }
		}
		var ids []string
		for range 3 { // two are sent at once, the third waits for an ack
			id, cancel, err := sent.forward(w.members["b"], "peer", supervisor.ForwardAnswered)
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			ids = append(ids, id)
		}
		time.Sleep(100 * time.Millisecond)
		for _, id := range ids {
			if got := sent.of(id); got.calls != 1 || !errors.Is(got.Err, context.Canceled) {
				t.Errorf("%+v", got)
			}
		}
	})
}
