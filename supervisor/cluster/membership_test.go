package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// A member knows 255 others. Messages of further ones are ignored, until one of the others leaves.
func TestMembersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		beat := func(name string) {
			r.hear(&message{head: head{kindHeartbeat, name, 1}, seq: 1, beat: heartbeat{clock: time.Now().UnixNano()}})
		}
		for i := len(r.directory.members); i < maxMembers; i++ {
			beat(fmt.Sprint("m", i))
		}
		if len(r.directory.members) != 256 {
			t.Fatalf("%d members, want 256", len(r.directory.members))
		}
		beat("further")
		if len(r.directory.members) != 256 || r.directory.members["further"] != nil {
			t.Errorf("%d members after a further one", len(r.directory.members))
		}
		r.hear(&message{head: head{kindGoodbye, "a", 1}, seq: 2})
		beat("further")
		if len(r.directory.members) != 256 || r.directory.members["further"] == nil {
			t.Errorf("%d members after one has left", len(r.directory.members))
		}
	})
}

// A goodbye of an earlier start that arrives late ends nothing. The one of the present start does, and so does one
// while the start of the member is not known.
func TestLateGoodbyeIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for boot, want := range map[uint64]bool{2: true, 1: false} {
			r := newCoordinatorRig(t)
			r.directory.set("peer", r.b, 5)
			r.hear(&message{head: head{kindGoodbye, "b", boot}, seq: 1})
			_, held := r.directory.termOf("peer", r.b)
			if known := r.directory.members["b"] != nil; held != want || known != want {
				t.Errorf("goodbye of start %d: the claim stays: %v, the member: %v, want %v", boot, held, known, want)
			}
		}
		r := newCoordinatorRig(t)
		r.b.boot = 0
		r.hear(&message{head: head{kindGoodbye, "b", 7}, seq: 1})
		if r.directory.members["b"] != nil {
			t.Error("a member of unknown start stays after its goodbye")
		}
	})
}

// A lost member keeps its claims for its return. If they were being fetched they are not complete: all are dropped, and
// its next message fetches them again.
func TestLossDropsIncompleteClaims(t *testing.T) {
	for name, incomplete := range map[string]bool{"complete": false, "incomplete": true} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.directory.set("peer", r.b, 5)
			if incomplete {
				r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 9})
			}
			time.Sleep(lostAfter)
			r.onBeat()
			if r.b.lost {
				t.Errorf("%s: lost after two seconds", name)
			}
			time.Sleep(time.Nanosecond)
			r.onBeat()
			if _, held := r.directory.termOf("peer", r.b); !r.b.lost || held == incomplete || r.b.sync != nil {
				t.Errorf("%s: lost %v, the claim stays: %v, fetching %v", name, r.b.lost, held, r.b.sync)
			}
			if home := r.directory.home("peer"); home != nil || r.log.counts[actors.MembersLost] != 3 {
				t.Errorf("%s: the home of the peer is %v; %d members lost, want 3", name, home, r.log.counts[actors.MembersLost])
			}
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 1})
			if r.b.lost || (r.b.sync != nil) != incomplete {
				t.Errorf("%s: after its return lost %v, fetching %v", name, r.b.lost, r.b.sync)
			}
		})
	}
}

// A member that was lost for ten minutes is removed, with its claims.
func TestLostMemberIsForgottenAfterTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.directory.set("peer", r.b, 5)
		r.lose(r.b)
		time.Sleep(10 * time.Minute)
		r.onBeat()
		if _, held := r.directory.termOf("peer", r.b); r.directory.members["b"] == nil || !held {
			t.Errorf("after ten minutes: the member is %v, its claim stays: %v", r.directory.members["b"], held)
		}
		time.Sleep(time.Nanosecond)
		r.onBeat()
		if _, held := r.directory.termOf("peer", r.b); r.directory.members["b"] != nil || held {
			t.Errorf("later: the member is %v, its claim stays: %v", r.directory.members["b"], held)
		}
	})
}

// A heartbeat removes expired snapshots, changes of the directory, tokens, and former homes.
func TestHeartbeatTidiesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.takeSnapshot(0)
		r.noteTokens("kept", 1, time.Now().Add(-keepTokens))
		r.noteTokens("old", 1, time.Now().Add(-keepTokens-time.Nanosecond))
		r.directory.set("peer", r.b, 1)
		r.engine.seen.former["peer"] = []former{{member: "b"}}
		r.engine.seen.order = []formerPeer{{"peer", time.Now().Add(-time.Hour)}}
		time.Sleep(snapshotKept)
		r.tokens["kept"] = tokens{1, time.Now().Add(-keepTokens)}
		r.onBeat()
		if len(r.snapshots) != 0 || len(r.directory.log) != 0 || len(r.engine.seen.former) != 0 {
			t.Errorf("snapshots %v, changes %v, former homes %v", r.snapshots, r.directory.log, r.engine.seen.former)
		}
		if _, kept := r.tokens["kept"]; len(r.tokens) != 1 || !kept {
			t.Errorf("tokens %v, want those of five minutes", r.tokens)
		}
	})
}

// The line about a lone member is written once, at the end of Join.
func TestLoneMemberIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.directory.members = map[string]*member{"self": r.self}
		r.joined, r.joinedAt = func(error) {}, time.Now()
		r.onBeat()
		r.onBeat()
		if n := strings.Count(r.lines.String(), "this one runs alone"); n != 1 {
			t.Errorf("%d lines, want 1", n)
		}
	})
}

// Changes are announced in messages that the others decode: at most 2,048 claims and 2,048 releases in each.
func TestManyChangesAreAnnouncedInParts(t *testing.T) {
	for _, n := range []struct{ claims, releases, messages int }{
		{0, 0, 0}, {1, 1, 1}, {maxChanges, 0, 1}, {maxChanges + 1, 0, 2}, {0, maxChanges + 1, 2}, {3 * maxChanges, 0, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			var want []string
			for i := range n.claims + n.releases {
				what := change{tokens: 1}
				if i < n.claims {
					what = change{term: uint64(i + 1)}
				}
				r.queue(fmt.Sprint(i), what)
				want = append(want, fmt.Sprint(i))
			}
			next := r.self.next
			if r.flushing != (n.messages > 0) {
				t.Errorf("%+v: the timer of the announcement runs: %v", n, r.flushing)
			}
			r.flush()
			if r.flush(); r.flushing {
				t.Errorf("%+v: no timer runs after further changes", n)
			}
			var got []string
			sent := r.bus.take(kindUpdate)
			for _, m := range sent {
				if next++; m.seq != next {
					t.Errorf("%+v: number %d, want %d", n, m.seq, next)
				}
				for _, h := range m.claims {
					got = append(got, h.peer)
				}
				for _, h := range m.releases {
					got = append(got, h.peer)
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if len(sent) != n.messages || !slices.Equal(got, want) {
				t.Errorf("%+v: %d messages with %d changes", n, len(sent), len(got))
			}
		})
	}
}
