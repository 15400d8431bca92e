package cluster

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// A member that leaves hands its entries over in 512 pages at most. With more, and without another member that could
// take them, its goodbye says that they are not complete. From then on it answers no checks.
func TestHandoverIsBounded(t *testing.T) {
	for name, row := range map[string]struct {
		exports int
		prepare func(r *coordinatorRig)
		pages   int
		told    uint64
	}{
		"no entries": {told: 1},
		"two pages":  {exports: 2, pages: 2, told: 3},
		"the most":   {exports: maxHandover, pages: 512, told: 513},
		"too many":   {exports: maxHandover + 9, pages: 512},
		"alone": {exports: 2, prepare: func(r *coordinatorRig) {
			r.directory.members = map[string]*member{"self": r.self}
		}},
		"before the end of Join": {exports: 2, prepare: func(r *coordinatorRig) { r.joined = func(error) {} }},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.log.exports = row.exports
			if row.prepare != nil {
				row.prepare(r)
			}
			if told := r.handOver(); told != row.told {
				t.Errorf("%s: the goodbye names %d pages plus one, want %d", name, told, row.told)
			}
			if n := len(r.bus.take(kindHandover)); n != row.pages || r.log.exported > maxHandover+1 {
				t.Errorf("%s: %d pages of %d exported, want %d", name, n, r.log.exported, row.pages)
			}
			if !r.engine.handing {
				t.Errorf("%s: checks are answered after the handover", name)
			}
		})
	}
}

// A handover is complete if as many pages of the member's present start have arrived as its goodbye names. Pages of an
// earlier start and of members that are not known are dropped.
func TestHandoverCountsPagesOfOneStart(t *testing.T) {
	for name, row := range map[string]struct {
		pages []uint64 // starts
		full  bool     // the set of this member
		boot  uint64   // of the member here
		told  uint64
		want  bool
	}{
		"all":                {[]uint64{1, 1}, false, 1, 3, true},
		"one is missing":     {[]uint64{1}, false, 1, 3, false},
		"of another start":   {[]uint64{1, 7}, false, 1, 3, false},
		"no space here":      {[]uint64{1, 1}, true, 1, 3, false},
		"none, and complete": {nil, false, 1, 1, true},
		"none, not complete": {nil, false, 1, 0, false},
		"of unknown start":   {nil, false, 0, 1, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.log.full, r.b.boot = row.full, row.boot
			for _, boot := range row.pages {
				r.hear(&message{head: head{kindHandover, "b", boot}})
				r.hear(&message{head: head{kindHandover, "stranger", boot}})
			}
			r.hear(&message{head: head{kindGoodbye, "b", 1}, seq: 1, pages: row.told})
			s := r.engine.seen
			if _, handed := s.handed["b"]; handed != row.want || s.crash.at.IsZero() != row.want {
				t.Errorf("%s: handed over is %v, a crash is noted: %v", name, handed, !s.crash.at.IsZero())
			}
			if slices.Contains(r.log.imported, "stranger") || r.directory.members["stranger"] != nil {
				t.Errorf("%s: pages of %q are taken over", name, r.log.imported)
			}
		})
	}
}

// The tokens of 16,384 peers are kept. Those of a further peer are unknown, as are negative ones.
func TestTokensAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		peers := make([]string, maxTokens)
		for i := range peers {
			peers[i] = string(rune('a'+i%26)) + time.Duration(i).String()
			r.noteTokens(peers[i], 0, time.Now())
		}
		r.noteTokens("further", 1, time.Now())
		if left, _ := r.tokensOf("further", time.Now()); left != -1 || len(r.tokens) != 1<<14 {
			t.Errorf("%v tokens of a further peer, %d peers", left, len(r.tokens))
		}
		r.noteTokens(peers[0], 5, time.Now())
		if left, _ := r.tokensOf(peers[0], time.Now()); left != -1 {
			t.Errorf("%v tokens of a known peer while there is no space, want unknown ones", left)
		}
		time.Sleep(time.Second)
		if left, age := r.tokensOf(peers[1], time.Now()); left != 0 || age != time.Second {
			t.Errorf("%v tokens since %v, want none since a second", left, age)
		}
		if left, _ := r.tokensOf(peers[1], time.Now()); left != -1 {
			t.Errorf("%v tokens at the second question, want unknown ones", left)
		}
		r.noteTokens(peers[2], -1, time.Now())
		if left, _ := r.tokensOf(peers[2], time.Now()); left != -1 {
			t.Errorf("%v tokens after a release with unknown ones", left)
		}
	})
}

// One probe of a member is under way at a time. Its result counts once, and only for a member that is still known.
func TestOneProbeOfAMemberAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.probe(r.b)
		r.probe(r.b)
		if n := len(r.bus.requests()); n != 1 {
			t.Errorf("%d probes at a time, want 1", n)
		}
		r.onProbed(&probed{member: r.b})
		r.probe(r.b)
		if n := len(r.bus.requests()); n != 1 || r.b.lost {
			t.Errorf("%d probes after the first one, want 1; lost: %v", n, r.b.lost)
		}
		for range 2 {
			r.onProbed(&probed{member: r.b, boot: 1, gone: true})
		}
		if n := r.log.counts[actors.MembersLost]; n != 1 || !r.b.lost {
			t.Errorf("lost %d times, want once", n)
		}
		r.hear(&message{head: head{kindGoodbye, "a", 1}, seq: 1})
		r.onProbed(&probed{member: r.a, boot: 1, gone: true})
		if n := r.log.counts[actors.MembersLost]; n != 1 {
			t.Errorf("a member that has left is lost")
		}
	})
}

// A member keeps the last eight starts before the present one.
func TestMemberKnowsItsLastStarts(t *testing.T) {
	m := &member{}
	for boot := uint64(1); boot <= 12; boot++ {
		m.begin(boot)
	}
	m.begin(6)
	if want := []uint64{4, 5, 7, 8, 9, 10, 11, 12}; !slices.Equal(m.past, want) || m.boot != 6 {
		t.Errorf("start %d after %v, want 6 after %v", m.boot, m.past, want)
	}
	m.begin(13)
	if want := []uint64{5, 7, 8, 9, 10, 11, 12, 6}; !slices.Equal(m.past, want) {
		t.Errorf("starts %v, want %v", m.past, want)
	}
	if !m.isPast(5) || m.isPast(13) || m.isPast(4) {
		t.Error("a start is past if it is one of them")
	}
	if m.lost = true; m.isPast(5) {
		t.Error("the messages of any start count while the member is lost")
	}
}

// A panic in a message is logged, and the next message is processed.
func TestCoordinatorContinuesAfterAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		verdicts := 0
		r.Receive(sending{msg: &claiming{claim: supervisor.Claim{Peer: "one"}, decided: func(supervisor.ClaimVerdict) {
			panic("test")
		}}})
		r.Receive(sending{msg: &claiming{claim: supervisor.Claim{Peer: "two"}, decided: func(supervisor.ClaimVerdict) {
			verdicts++
		}}})
		if n := strings.Count(r.lines.String(), "panicked and continues"); n != 1 || verdicts != 1 {
			t.Errorf("%d lines about the panic, %d verdicts, want 1 of each", n, verdicts)
		}
	})
}

// sending is the context of a message to the coordinator.
type sending struct {
	actor.Context
	msg any
}

func (s sending) Message() any { return s.msg }

// A heartbeat that was under way when a member was killed does not bring it back; a later one, or another start, does.
func TestHeartbeatUnderWayBringsNoMemberBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		beat := func(m *member, boot uint64) {
			r.hear(&message{
				head: head{kindHeartbeat, m.name, boot}, seq: 1, beat: heartbeat{clock: time.Now().UnixNano()},
			})
		}
		r.onProbed(&probed{member: r.a, boot: 1, gone: true})
		r.onProbed(&probed{member: r.b, boot: 1, gone: true})
		time.Sleep(underWay - time.Millisecond)
		if beat(r.a, 1); !r.a.lost {
			t.Error("a heartbeat sent before the end of the member brings it back")
		}
		if beat(r.b, 2); r.b.lost {
			t.Error("another start of the member is ignored")
		}
		time.Sleep(time.Millisecond)
		if beat(r.a, 1); r.a.lost {
			t.Error("a member that is alive after all stays lost")
		}
	})
}
