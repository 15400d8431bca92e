package cluster

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Messages that this member cannot use change nothing, and each causes one line.
func TestUnusableMessagesAreLogged(t *testing.T) {
	update := func(from string, boot uint64, claims ...holding) func(r *coordinatorRig) {
		return func(r *coordinatorRig) {
			r.hear(&message{head: head{kindUpdate, from, boot}, seq: 1, claims: claims})
		}
	}
	for want, act := range map[string]func(r *coordinatorRig){
		"a message of a later version was ignored": func(r *coordinatorRig) {
			r.onHeard(&heard{body: []byte{version + 1, 1}})
		},
		"a message of a member was ignored":       func(r *coordinatorRig) { r.onHeard(&heard{body: []byte{version}}) },
		"another member has the name of this one": update("self", 8, holding{"peer", 1}),
		"two members have one name": func(r *coordinatorRig) {
			r.b.past = []uint64{7}
			update("b", 7, holding{"peer", 1})(r)
		},
		"too many members": func(r *coordinatorRig) {
			for i := range maxMembers - len(r.directory.members) {
				r.learn(strings.Repeat("m", i+1))
			}
			update("further", 1, holding{"peer", 1})(r)
		},
		"their terms are zero or too far ahead": update("b", 1, holding{"peer", 0}, holding{"far", maxAhead + 1}),
		"a message to other members was not sent": func(r *coordinatorRig) {
			r.bus.fail = errors.New("closed")
			r.announce(&message{head: r.engine.head(kindGoodbye)})
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			act(r)
			if n := strings.Count(r.lines.String(), "\n"); n != 1 || !strings.Contains(r.lines.String(), want) {
				t.Errorf("logged %q, want one line %q", r.lines, want)
			}
			for _, peer := range []string{"peer", "far"} {
				if home := r.directory.home(peer); home != nil {
					t.Errorf("%s: %s has the home %v", want, peer, home)
				}
			}
		})
	}
}

// Two starts are told apart by name and number together: another member may have the number of this one.
func TestMemberMayHaveTheNumberOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.hear(&message{head: head{kindUpdate, "self", 9}, seq: 1, claims: []holding{{"peer", 1}}}) // its own message
		r.hear(&message{head: head{kindUpdate, "new", 9}, seq: 1})
		if r.directory.members["new"] == nil || r.directory.members["new"].boot != 9 || r.self.boot != 9 || r.self.next != 0 {
			t.Errorf("members %v", r.directory.members)
		}
		if _, claimed := r.directory.termOf("peer", r.self); claimed {
			t.Error("an own message is processed")
		}
	})
}

// A member that returns, or starts again, is logged, and counts as alive for questions about messages from then on.
func TestReturnOfAMemberIsNoted(t *testing.T) {
	for _, boot := range []uint64{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.lose(r.b)
			if slices.Contains(r.engine.seen.live, "b") {
				t.Fatal("a lost member counts as alive")
			}
			r.lines.Reset()
			r.b.behind, r.b.fetchAt = r.now(), r.now()
			r.hear(&message{head: head{kindUpdate, "b", boot}, seq: 1})
			if !slices.Contains(r.engine.seen.live, "b") || strings.Count(r.lines.String(), "a member is alive") != 1 {
				t.Errorf("start %d: alive are %q, logged %q", boot, r.engine.seen.live, r.lines)
			}
			if !r.b.behind.IsZero() || !r.b.fetchAt.IsZero() {
				t.Errorf("start %d: its records are still those of before", boot)
			}
			r.hear(&message{head: head{kindUpdate, "b", boot}, seq: 2})
			if n := strings.Count(r.lines.String(), "a member is alive"); n != 1 {
				t.Errorf("start %d: %d lines after the next message", boot, n)
			}
		})
	}
}

// The results of an earlier start do not count, also if nothing was forwarded to the member before its restart.
func TestResultsOfAnEarlierStartAreIgnored(t *testing.T) {
	for _, before := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			f := r.engine.forwarder
			if before && (f.with("b") == nil || f.answersOf(head{from: "b", boot: 1}) == nil) {
				t.Error("results of the present start are ignored")
			}
			r.hear(&message{head: head{kindUpdate, "b", 2}, seq: 1})
			f.with("b")
			if f.answersOf(head{from: "b", boot: 1}) != nil || f.answersOf(head{from: "b", boot: 2}) == nil {
				t.Errorf("forwarded before: %v: after a restart the results of the earlier start count, or none does", before)
			}
		})
	}
}

// A heartbeat tells of a crash that this member has not seen.
func TestHeartbeatTellsOfACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.hear(&message{head: head{kindHeartbeat, "b", 1}, seq: 1, beat: heartbeat{
			clock: time.Now().UnixNano(), crash: 1,
		}})
		if age, _ := r.engine.seen.crashAge(); age != 1 {
			t.Errorf("the age of the last crash is %d ms + 1, want 1", age)
		}
	})
}

// An undecided claim is granted in the moment in which the other member's release, or a snapshot without the peer,
// arrives.
func TestReleaseDecidesAWaitingClaim(t *testing.T) {
	for name, ends := range map[string]func(r *coordinatorRig){
		"release": func(r *coordinatorRig) {
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 1, releases: []release{{"peer", 4}}})
		},
		"snapshot": func(r *coordinatorRig) { r.replace(r.b, nil) },
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.directory.set("peer", r.b, 5)
			verdicts := r.claimOf("peer")
			ends(r)
			if len(*verdicts) != 1 || !(*verdicts)[0].Granted {
				t.Errorf("%s: verdicts %+v, want one grant", name, *verdicts)
			}
		})
	}
}

// Claims of another member raise the terms of this one, and a snapshot is checked as an update is.
func TestClaimsOfOthersRaiseTheTerms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 1, claims: []holding{{"one", 50}}})
		if v := (*r.claimOf("peer"))[0]; v.Term != 51 {
			t.Errorf("the term is %d, want 51", v.Term)
		}
		r.replace(r.b, []holding{{"one", 60}, {"two", 0}, {"three", maxAhead + 62}, {"four", maxAhead + 51}})
		if got, want := r.directory.of(r.b), []holding{{"four", maxAhead + 51}, {"one", 60}}; !slices.Equal(got, want) {
			t.Errorf("claims %v, want %v", got, want)
		}
	})
}

// Another member claims a peer of this one: that member may have entries of it from now on. With a higher term the
// registry hears that the peer was taken.
func TestClaimOfAnOwnPeerIsNoted(t *testing.T) {
	for ahead, want := range map[uint64][]string{0: nil, 1: {"peer"}} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.clock = 10
			term := (*r.claimOf("peer"))[0].Term
			r.engine.seen.answered("peer", startOf{rendezvous(r.engine.seen.live, "peer"), 1}, false)
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 1, claims: []holding{{"peer", term - 1 + 2*ahead}}})
			if !slices.Equal(r.log.taken, want) {
				t.Errorf("taken are %q, want %q", r.log.taken, want)
			}
			if !slices.ContainsFunc(r.engine.seen.held["peer"], func(f former) bool { return f.member == "b" && !f.keeper }) {
				t.Errorf("former homes %+v, want b among them", r.engine.seen.held["peer"])
			}
		})
	}
}

// A claim for the peer of a third member causes a probe of that one. A claim again by its home, or for a peer of this
// member, causes none.
func TestClaimProbesTheFormerHomeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.claimOf("own")
		r.directory.set("peer", r.b, 5)
		r.bus.requests()
		seq := map[string]uint64{}
		asks := func(by, peer string, want ...string) {
			t.Helper()
			seq[by]++
			r.hear(&message{head: head{kindUpdate, by, 1}, seq: seq[by], claims: []holding{{peer, 6}}})
			if got := r.bus.requests(); !slices.Equal(got, want) {
				t.Errorf("a claim of %s for the peer %s asks %q, want %q", by, peer, got, want)
			}
		}
		asks("b", "peer")
		asks("a", "own")
		asks("a", "new")
		asks("a", "peer", "p2p.node.m.b.ask")
	})
}
