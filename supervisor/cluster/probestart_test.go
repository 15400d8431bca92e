package cluster

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// A probe of a killed member ends after its next start was heard: that start is not lost, and is logged once.
func TestProbeOfAnEarlierStartLosesNoMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		earlier := r.b.boot
		r.hear(&message{head: head{kindUpdate, "b", 2}, seq: 1})
		r.onProbed(&probed{member: r.b, boot: earlier, gone: true})
		r.hear(&message{head: head{kindUpdate, "b", 2}, seq: 2})
		if n := r.log.counts[actors.MembersLost]; n != 0 || strings.Count(r.lines.String(), "a member is alive") != 1 {
			t.Errorf("lost %d times, want none; logged %s", n, r.lines)
		}
		r.onProbed(&probed{member: r.b, boot: 2, gone: true})
		if !r.b.lost {
			t.Error("a probe of the present start does not count")
		}
	})
}

// A member that ends while its claims are being fetched stays known by its start: a heartbeat under way does not bring
// it back, its next start has none of its entries, and its own messages in flight end.
func TestLossDuringAFetchKeepsTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newForwarderRig(t)
		stopped := 0
		r.here.deliver = func(supervisor.Forwarding, func(supervisor.Forwarded)) func() {
			return func() { stopped++ }
		}
		r.directory.set("former", r.b, 1)
		r.receive(t, "b", "own")
		r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 7})
		r.onProbed(&probed{member: r.b, boot: 1, gone: true})
		time.Sleep(underWay - time.Millisecond)
		if r.hear(&message{head: head{kindHeartbeat, "b", 1}, seq: 8}); !r.b.lost {
			t.Error("a heartbeat sent before the end of the member brings it back")
		}
		r.hear(&message{head: head{kindHeartbeat, "b", 2}, seq: 1})
		homes := r.engine.seen.former["former"]
		if r.b.lost || len(homes) != 1 || r.engine.seen.reachable(homes[0]) {
			t.Errorf("lost %v; former homes %+v, want one that is not reachable", r.b.lost, homes)
		}
		if stopped != 1 {
			t.Errorf("%d messages of the earlier start were ended, want 1", stopped)
		}
	})
}

// A member that was lost while its claims were being fetched, and is alive after all, has its claims fetched anew,
// whatever the number of its next message is.
func TestReturnAfterALossDuringAFetchFetchesAnew(t *testing.T) {
	for _, seq := range []uint64{0, 1, 7, 8, 9} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 7})
			r.lose(r.b)
			time.Sleep(underWay)
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: seq, claims: []holding{{"peer", 5}}})
			if r.b.lost || r.b.sync == nil || r.b.held != 0 {
				t.Errorf("message %d: lost %v, fetching %v, %d claims", seq, r.b.lost, r.b.sync != nil, r.b.held)
			}
		})
	}
}
