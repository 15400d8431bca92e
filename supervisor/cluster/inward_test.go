package cluster

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/wire"
)

// delivery is a message of another member that this one has got.
type delivery struct {
	supervisor.Forwarding
	done    func(supervisor.Forwarded)
	stopped int // calls of its cancel
}

// keepDeliveries lets this member keep the messages that it gets.
func (r *forwarderRig) keepDeliveries() *[]*delivery {
	list := &[]*delivery{}
	r.here.deliver = func(f supervisor.Forwarding, done func(supervisor.Forwarded)) func() {
		d := &delivery{Forwarding: f, done: done}
		*list = append(*list, d)
		return func() { d.stopped++ }
	}
	return list
}

// cancelOf delivers the cancel of an entry of the first batch.
func (r *forwarderRig) cancelOf(from string, index int) {
	r.onForwarded(encodeCancel(head{kindCancel, from, 1}, 1, index))
}

// acksTo returns the acks that were published to a member since the last call.
func (r *forwarderRig) acksTo(t *testing.T, member string) (acks []*ack) {
	t.Helper()
	synctest.Wait()
	for _, body := range r.bus.to(member, "ack") {
		a, err := decodeAck(body)
		if err != nil || a == nil {
			t.Fatalf("%x: %v", body, err)
		}
		acks = append(acks, a)
	}
	r.bus.forget()
	return acks
}

// summary writes the entries that wait and the results of acks: the index of each, and the bytes of parts.
func summary(acks []*ack) (text string) {
	for _, a := range acks {
		text += "["
		a.waiting.each(func(i int) { text += fmt.Sprint(i, " ") })
		text += "|"
		for _, r := range a.results {
			text += fmt.Sprint(" ", r.index)
			if r.code == codePart {
				text += fmt.Sprint("+", len(r.data))
			}
		}
		text += "]"
	}
	return text
}

// replyOf returns a reply of about n bytes.
func replyOf(t *testing.T, n int) supervisor.Forwarded {
	t.Helper()
	msg, err := wire.NewMessage("answer", "peer", "node", nil)
	if err != nil {
		t.Fatal(err)
	}
	msg.Payload = slices.Repeat([]byte{'1'}, n)
	return supervisor.Forwarded{Reply: msg}
}

// The results of a batch are reported together a millisecond after the first one, and at once with the last one. Each
// is reported once, and its cancel has no effect from then on.
func TestResultsOfABatchAreReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		deliveries := r.keepDeliveries()
		r.receive(t, "b", "one", "two", "three")
		if acks := r.acksTo(t, "b"); len(acks) != 0 {
			t.Errorf("acks %s without a result", summary(acks))
		}
		time.Sleep(ackAfter)
		if got := summary(r.acksTo(t, "b")); got != "[0 1 2 |]" {
			t.Errorf("acks %s a millisecond after the arrival, want one of a batch that waits", got)
		}
		list := *deliveries
		list[1].done(supervisor.Forwarded{})
		list[1].done(supervisor.Forwarded{})
		list[0].done(supervisor.Forwarded{})
		if acks := r.acksTo(t, "b"); len(acks) != 0 {
			t.Errorf("acks %s at once", summary(acks))
		}
		time.Sleep(ackAfter)
		if got := summary(r.acksTo(t, "b")); got != "[2 | 1 0]" {
			t.Errorf("acks %s a millisecond later, want results of 1 and 0", got)
		}
		for _, index := range []int{0, 2, 3, 255} {
			r.cancelOf("b", index)
		}
		if list[0].stopped != 0 || list[1].stopped != 0 || list[2].stopped != 1 {
			t.Errorf("ended %d, %d and %d times, want the last one once", list[0].stopped, list[1].stopped, list[2].stopped)
		}
		list[2].done(supervisor.Forwarded{})
		if got := summary(r.acksTo(t, "b")); got != "[| 2]" {
			t.Errorf("acks %s with the last result", got)
		}
		time.Sleep(time.Minute)
		if acks := r.acksTo(t, "b"); len(acks) != 0 || len(r.with("b").in.arrived) != 0 {
			t.Errorf("later acks %s, %d batches", summary(acks), len(r.with("b").in.arrived))
		}
	})
}

// A batch whose messages are delivered at once has one ack.
func TestDeliveredBatchHasOneAck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		r.here.deliver = func(_ supervisor.Forwarding, done func(supervisor.Forwarded)) func() {
			done(supervisor.Forwarded{})
			return func() { t.Error("a delivery that has ended is cancelled") }
		}
		r.receive(t, "b", "one", "two", "three")
		r.cancelOf("b", 0)
		time.Sleep(time.Minute)
		if got := summary(r.acksTo(t, "b")); got != "[| 0 1 2]" {
			t.Errorf("acks %s", got)
		}
	})
}

// Entries that wait are reported every 500 ms, until there are none.
func TestWaitingEntriesAreReportedTwiceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		deliveries := r.keepDeliveries()
		for range 2 {
			r.receive(t, "b", "one")
			time.Sleep(ackAfter)
			r.acksTo(t, "b")
			time.Sleep(1500 * time.Millisecond)
			if got := summary(r.acksTo(t, "b")); got != "[0 |][0 |][0 |]" {
				t.Errorf("acks %s in 1.5 s, want three", got)
			}
			list := *deliveries
			list[len(list)-1].done(supervisor.Forwarded{})
			time.Sleep(time.Minute)
			if got := summary(r.acksTo(t, "b")); got != "[| 0]" {
				t.Errorf("acks %s of the result", got)
			}
		}
	})
}

// A reply is reported in parts of 128 KiB. Results of 256 KiB are reported at once, without a further ack later.
func TestLongResultsAreReportedInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		deliveries := r.keepDeliveries()
		r.receive(t, "b", "one", "two", "three", "four", "five")
		time.Sleep(ackAfter)
		r.acksTo(t, "b")
		list := *deliveries
		list[0].done(replyOf(t, 2*maxPart))
		acks := r.acksTo(t, "b")
		if got := summary(acks); got != "[0 1 2 3 4 | 0+131072][0 1 2 3 4 | 0+131072]" {
			t.Fatalf("acks %s of the long reply", got)
		}
		list[1].done(replyOf(t, maxPart-1000))
		list[2].done(replyOf(t, maxPart-1000))
		if acks := r.acksTo(t, "b"); len(acks) != 0 {
			t.Errorf("acks %s below the limit", summary(acks))
		}
		list[3].done(replyOf(t, 2000))
		acks = r.acksTo(t, "b")
		if got := summary(acks); got != "[4 | 0 1 2 3]" || acks[0].results[0].total <= 2*maxPart {
			t.Errorf("acks %s at the limit", got)
		}
		time.Sleep(ackAfter)
		if acks := r.acksTo(t, "b"); len(acks) != 0 {
			t.Errorf("acks %s later", summary(acks))
		}
		list[4].done(supervisor.Forwarded{})
		if got := summary(r.acksTo(t, "b")); got != "[| 4]" {
			t.Errorf("acks %s with the last result", got)
		}
	})
}

// The home of the peer is named only if nothing was sent to the peer.
func TestPeerHasMovedOnlyIfNothingWasSent(t *testing.T) {
	lost := supervisor.ErrNotConnected
	for _, row := range []struct {
		err  error
		code code
		text string
	}{
		{&supervisor.PeerError{Peer: "peer", Err: lost}, codeMoved, "a"},
		{lost, codeMoved, "a"},
		{&supervisor.UnconfirmedError{Cause: lost}, codeUnconfirmed, lost.Error()},
		{supervisor.ErrClosed, firstSentinel + code(slices.Index(sentinels[:], supervisor.ErrClosed)), ""},
		{errors.New("another"), codeOther, "another"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newForwarderRig(t)
			deliveries := r.keepDeliveries()
			r.receive(t, "b", "peer")
			(*deliveries)[0].done(supervisor.Forwarded{Err: row.err})
			acks := r.acksTo(t, "b")
			if len(acks) != 1 || acks[0].results[0].code != row.code || acks[0].results[0].text != row.text {
				t.Errorf("%v: acks %+v, want code %d with %q", row.err, acks, row.code, row.text)
			}
		})
	}
}

// A member of an earlier version gets no names that it would take for failures.
func TestBroadcastOfAnEarlierVersionGetsNoNames(t *testing.T) {
	for mode, want := range map[supervisor.ForwardMode]int{supervisor.ForwardWritten: 0, castNamed: 1} {
		synctest.Test(t, func(t *testing.T) {
			r := newForwarderRig(t)
			r.here.broadcast = supervisor.MemberBroadcast{
				BroadcastResult: supervisor.BroadcastResult{Sent: 3}, Moving: []string{"p"}, Gone: []string{"q"},
				Relies: []string{"a"},
			}
			e := entry{mode: mode, broadcast: true, role: "worker", form: formOf(t, r.engine)}
			r.onForwarded(e.appendTo(append(head{kindBatch, "b", 1}.appendTo(nil), 1)))
			acks := r.acksTo(t, "b")
			if len(acks) != 1 || r.here.role != crypto.RoleWorker {
				t.Fatalf("%d acks, role %q", len(acks), r.here.role)
			}
			sum, err := decodeBroadcast(acks[0].results[0].data)
			if err != nil || sum.Sent != 3 || len(sum.Moving) != want || len(sum.Gone) != want || len(sum.Relies) != want {
				t.Errorf("mode %d: result %+v, %v; want %d names each", mode, sum, err, want)
			}
		})
	}
}

// The end of this member, and a restart of another one, end the deliveries for it. Their results are not reported.
func TestDeliveriesEndWithTheirMember(t *testing.T) {
	for name, row := range map[string]struct {
		end  func(r *forwarderRig)
		want int
	}{
		"this member leaves":      {func(r *forwarderRig) { r.forwarder.close() }, 1},
		"the other one leaves":    {func(r *forwarderRig) { r.forwarder.forget("b") }, 1},
		"it restarts":             {func(r *forwarderRig) { r.restarted("b", 2) }, 1},
		"it was in touch already": {func(r *forwarderRig) { r.restarted("b", 1) }, 0},
		"it is lost":              {func(r *forwarderRig) { r.forwarder.lost("b") }, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newForwarderRig(t)
			deliveries := r.keepDeliveries()
			r.receive(t, "b", "one")
			row.end(r)
			r.acksTo(t, "b")
			d := (*deliveries)[0]
			d.done(supervisor.Forwarded{})
			if acks := r.acksTo(t, "b"); d.stopped != row.want || len(acks) != 1-row.want {
				t.Errorf("%s: ended %d times, want %d; then acks %s", name, d.stopped, row.want, summary(acks))
			}
		})
	}
}
