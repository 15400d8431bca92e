package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// The forwarder keeps the state of 256 members. Messages of a further one, and all after the end, are refused.
func TestForwarderLimitsItsMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		for i := range 256 {
			if r.with(fmt.Sprint(i)) == nil {
				t.Fatalf("no state about member %d", i)
			}
		}
		r.onForwarded(batchOf("further"))
		if n := r.log.counts[actors.ClusterDroppedRefused]; n != 1 || r.with("0") == nil {
			t.Errorf("%d messages of a further member were refused, want 1", n)
		}
		r.close()
		if r.with("0") != nil || !errors.Is(r.send(&flight{}, "0"), supervisor.ErrNotConnected) {
			t.Error("a member has state after the end")
		}
	})
}

// The results of an earlier start of a member do not count, and neither do those for an earlier start of this one.
func TestResultsOfAnIgnoredStartAreRefused(t *testing.T) {
	for name, row := range map[string]struct {
		ignored, to uint64
		refused     int
	}{
		"none ignored":    {0, 9, 0},
		"another ignored": {2, 9, 0},
		"ignored":         {1, 9, 1},
		"for another":     {0, 8, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newForwarderRig(t)
			r.ignore("a", row.ignored)
			r.onAck(ackTo(row.to))
			if n := r.log.counts[actors.ClusterDroppedRefused]; n != row.refused {
				t.Errorf("%s: %d results were refused, want %d", name, n, row.refused)
			}
		})
	}
}

// The state about a member that has left is removed two seconds later, unless the member has returned.
func TestForwarderForgetsMembersThatHaveLeft(t *testing.T) {
	for name, row := range map[string]struct {
		meanwhile func(r *forwarderRig)
		kept      bool
	}{
		"left":     {func(r *forwarderRig) { r.directory.leave(r.a) }, false},
		"lost":     {func(r *forwarderRig) { r.directory.setLost(r.a, true) }, false},
		"returned": {func(*forwarderRig) {}, true},
		"replaced": {func(r *forwarderRig) {
			r.directory.leave(r.a)
			delete(r.pairs, "a")
			r.with("a")
		}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newForwarderRig(t)
			r.with("a")
			r.forwarder.forget("a")
			row.meanwhile(r)
			time.Sleep(2*time.Second - 1)
			if r.known("a") == nil {
				t.Errorf("%s: the state is removed before the last results", name)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if kept := r.known("a") != nil; kept != row.kept {
				t.Errorf("%s: the state is kept: %v", name, kept)
			}
		})
	}
}

// A message that waits to be sent to a member that leaves goes to the peer's new home, or ends at once. The two sent
// ones wait for the last results of the member.
func TestLeavingMemberGetsNoFurtherBatch(t *testing.T) {
	for _, moved := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newForwarderRig(t)
			for range 3 {
				r.forward(t, "peer")
			}
			if moved {
				r.directory.set("peer", r.b, 2)
			}
			r.forwarder.forget("a")
			batches, _ := r.bus.batchesTo(t, "b")
			if ended := !moved; len(batches) != int(flag(moved)) || len(r.results) != int(flag(ended)) ||
				ended && !errors.Is(r.results[0].Err, supervisor.ErrNotConnected) {
				t.Errorf("moved: %v; %d batches, results %v", moved, len(batches), r.results)
			}
			r.report("a", entryResult{})
			if last := len(r.results) - 1; last != int(flag(!moved)) || r.results[last].Err != nil {
				t.Errorf("moved: %v; results %v after the last ack", moved, r.results)
			}
		})
	}
}

// For two seconds after this member has granted a peer to another one, it names that one as the home.
func TestGrantedPeerIsHintedForTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		r.directory.set("own", r.self, 1)
		r.forwarder.granted("own", "b")
		time.Sleep(2*time.Second - 1)
		if own, other := r.hint("own"), r.hint("peer"); own != "b" || other != "a" {
			t.Errorf("hints %q and %q, want b and a", own, other)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if own := r.hint("own"); own != "" || len(r.moved) != 0 {
			t.Errorf("hint %q after two seconds; %d peers noted", own, len(r.moved))
		}
	})
}

// A second grant within two seconds is hinted for two seconds of its own.
func TestSecondGrantIsHintedForTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		r.forwarder.granted("own", "b")
		time.Sleep(time.Second)
		r.forwarder.granted("own", "a")
		time.Sleep(2*time.Second - 1)
		if to := r.hint("own"); to != "a" {
			t.Errorf("hint %q, want a", to)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if to := r.hint("own"); to != "" {
			t.Errorf("hint %q after two seconds", to)
		}
	})
}

// A message that the bus refuses ends with that error.
func TestRefusedBatchEndsItsMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		r.bus.fail = errors.New("refused")
		for n := range 2 {
			r.forward(t, "peer")
			if len(r.results) != n+1 || !errors.Is(r.results[n].Err, r.bus.fail) {
				t.Errorf("results %v of %d messages", r.results, n+1)
			}
		}
	})
}

// A panic in the handling of a member's message is logged and does not end the process.
func TestMemberContinuesAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		r.engine.local = panicking{r.log}
		r.engine.pid = r.engine.opts.System.Root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
		if err := r.engine.listen(r.engine.local); err != nil {
			t.Fatal(err)
		}
		deliver := func(subject string, body []byte) {
			r.bus.handlers["p2p.node.m.self."+subject](Delivery{Body: body, Respond: func([]byte) {}})
			synctest.Wait()
			if n := strings.Count(r.lines.String(), "panicked and continues"); n != 1 {
				t.Errorf("%s: %d panics are logged, want 1", subject, n)
			}
			r.lines.Reset()
		}
		r.here.deliver = func(supervisor.Forwarding, func(supervisor.Forwarded)) func() { panic("delivery") }
		deliver("fwd", r.batch(t, "b", "own"))
		if n := len(r.with("b").in.arrived); n != 0 {
			t.Errorf("%d batches are kept after the panic of their delivery", n)
		}
		r.forward(t, "peer")
		r.with("a").out.batches[1].flights[0].done = func(supervisor.Forwarded) { panic("result") }
		deliver("ack", (&ack{head: head{kindAck, "a", 1}, to: 9, batch: 1, results: []entryResult{{}}}).encode())
		r.engine.seen.local = r.engine.local
		deliver("seen", (&message{head: head{kindCheck, "a", 1}, checks: []check{{author: "p", token: true}}}).encode())
		deliver("ask", []byte{version, 1})
		deliver("book", (&message{head: head{kindBookPut, "a", 1}}).encode())
	})
}

// panicking is a member whose answers to others panic.
type panicking struct{ supervisor.ClusterLocal }

func (panicking) TakeToken(string) bool                      { panic("token") }
func (panicking) Answer([]byte, func([]byte, error))         { panic("answer") }
func (panicking) MergeRecords([]supervisor.BookRecord) error { panic("records") }

// A message that its member has not sent goes to the home that the member names, once, unless the caller has cancelled
// it. A broadcast goes to no other member.
func TestUnsentMessageFollowsItsPeer(t *testing.T) {
	for name, row := range map[string]struct {
		hint    string
		prepare func(r *forwarderRig, flight *flight, cancel func())
		further bool // another batch
	}{
		"another member": {"b", func(*forwarderRig, *flight, func()) {}, true},
		"another member, none here": {
			"b", func(r *forwarderRig, _ *flight, _ func()) { r.directory.drop("peer", r.a) }, true,
		},
		"the same member": {"a", func(*forwarderRig, *flight, func()) {}, false},
		"cancelled":       {"b", func(_ *forwarderRig, _ *flight, cancel func()) { cancel() }, false},
		"broadcast":       {"b", func(_ *forwarderRig, f *flight, _ func()) { f.broadcast = true }, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newForwarderRig(t)
			cancel := r.forward(t, "peer")
			row.prepare(r, r.with("a").out.batches[1].flights[0], cancel)
			r.report("a", entryResult{code: codeMoved, text: row.hint})
			same, _ := r.bus.batchesTo(t, "a")
			other, _ := r.bus.batchesTo(t, "b")
			if len(same) != 1 || len(other) != int(flag(row.further)) {
				t.Errorf("%s: %d batches to a and %d to b", name, len(same), len(other))
			}
			if ended := len(r.results) == 1 && errors.Is(r.results[0].Err, supervisor.ErrNotConnected); ended == row.further {
				t.Errorf("%s: results %v", name, r.results)
			}
			for _, b := range other {
				if e := b.entries[0]; e.peer != "peer" || e.mode != supervisor.ForwardAnswered || !e.endless {
					t.Errorf("%s: the entry is %+v", name, e)
				}
			}
		})
	}
}

// A message to a peer that has moved to this member is delivered here as the caller wants it. Its error does not name
// the peer: the caller adds that. The cancel reaches the delivery also while that begins.
func TestUnsentMessageIsDeliveredHere(t *testing.T) {
	for _, early := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newForwarderRig(t)
			var got supervisor.Forwarding
			var end func(supervisor.Forwarded)
			stopped := 0
			cancel := r.forward(t, "peer")
			r.here.deliver = func(f supervisor.Forwarding, done func(supervisor.Forwarded)) func() {
				got, end = f, done
				if early {
					cancel()
				}
				return func() { stopped++ }
			}
			r.directory.set("peer", r.self, 2)
			r.report("a", entryResult{code: codeMoved})
			if got.Peer != "peer" || got.Mode != supervisor.ForwardAnswered || !got.Endless || got.Message.Type != "test" {
				t.Errorf("delivered: %+v", got)
			}
			if !early {
				cancel()
			}
			if stopped != 1 {
				t.Errorf("early: %v; the delivery was ended %d times, want once", early, stopped)
			}
			end(supervisor.Forwarded{Err: &supervisor.PeerError{Peer: "peer", Err: supervisor.ErrQueueFull}})
			if len(r.results) != 1 || r.results[0].Err != supervisor.ErrQueueFull { //nolint:errorlint // without the peer
				t.Errorf("results %v, want %v", r.results, supervisor.ErrQueueFull)
			}
		})
	}
}
