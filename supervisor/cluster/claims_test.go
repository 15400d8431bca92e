package cluster

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// A member that claims a peer again gets one verdict for each claim. An answer counts only for the latest claim, and
// only from the member that was asked.
func TestAnswersCountForTheLatestClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.directory.set("peer", r.b, 5)
		first := r.claimOf("peer")
		second := r.claimOf("peer")
		if want := []supervisor.ClaimVerdict{{}}; !slices.Equal(*first, want) {
			t.Fatalf("verdicts about the replaced claim %+v, want %+v", *first, want)
		}
		asked := r.bus.take(kindClaim)
		if len(asked) != 2 || asked[0].id == asked[1].id {
			t.Fatalf("asked %+v, want two claims with ids of their own", asked)
		}
		r.answered(r.b, "peer", asked[0].id, answerRefused, 0)
		r.answered(r.a, "peer", asked[1].id, answerRefused, 0)
		r.answered(r.b, "other", asked[1].id, answerRefused, 0)
		if len(*second) != 0 {
			t.Errorf("answers to an earlier claim, of another member or about another peer count: %+v", *second)
		}
		r.answered(r.b, "peer", asked[1].id, answerRefused, 0)
		r.answered(r.b, "peer", asked[1].id, answerGranted, 5)
		if want := []supervisor.ClaimVerdict{{Home: "b"}}; !slices.Equal(*second, want) || len(*first) != 1 {
			t.Errorf("verdicts %+v, want %+v once", *second, want)
		}
	})
}

// The holder of a peer is asked every 500 ms, at once when it asks for that, and at once if it is another one. If it
// does not answer for two seconds the claim is granted, although it lives.
func TestUndecidedClaimIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.directory.set("peer", r.b, 5)
		verdicts := r.claimOf("peer")
		asks := func(when string, pass time.Duration, want ...string) {
			t.Helper()
			time.Sleep(pass)
			r.bus.take(0)
			r.retryClaims()
			if !slices.Equal(r.bus.to, want) {
				t.Errorf("%s: asks %q, want %q", when, r.bus.to, want)
			}
		}
		const a, b = "p2p.node.m.a.in", "p2p.node.m.b.in"
		asks("499 ms after the first question", 499*time.Millisecond)
		asks("after 500 ms", time.Millisecond, b)
		asks("at the same time", 0)
		r.answered(r.b, "peer", r.claimIDs, answerAgain, 0)
		asks("it does not hold the peer any more", 0, b)
		r.answered(r.b, "peer", r.claimIDs, answerWait, 0)
		asks("it decides", 499*time.Millisecond)
		r.directory.set("peer", r.a, 6)
		asks("another member holds the peer", 0, a)
		r.directory.set("peer", r.b, 7)
		asks("the first one holds it again", 0, b)
		time.Sleep(time.Second)
		r.answered(r.b, "peer", r.claimIDs, answerWait, 0)
		asks("1.9 s after its last answer", 1900*time.Millisecond, b)
		asks("after 2 s", 100*time.Millisecond)
		if len(*verdicts) != 0 {
			t.Fatalf("verdicts %+v before the end of its patience", *verdicts)
		}
		asks("later", 1)
		if len(*verdicts) != 1 || !(*verdicts)[0].Granted {
			t.Errorf("verdicts %+v, want one grant", *verdicts)
		}
	})
}

// The peer of a lost member may have been served by it until the first claim here, not until a later one.
func TestRepeatedClaimKeepsItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.directory.set("peer", r.b, 5)
		began := time.Now()
		r.claimOf("peer")
		time.Sleep(time.Second)
		r.claimOf("peer")
		r.lose(r.b)
		held := r.engine.seen.held["peer"]
		i := slices.IndexFunc(held, func(f former) bool { return f.member == "b" && !f.keeper })
		if i < 0 || !held[i].ended.Equal(began) {
			t.Errorf("former homes %+v, want b until %v", held, began)
		}
	})
}

// A grant takes a term above that of the holder, unless that one is not credible.
func TestGrantedTermIsAboveTheFormerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		for _, row := range []struct {
			peer       string
			term, want uint64
		}{{"one", 100, 101}, {"two", 50, 102}, {"three", maxAhead + 103, 103}, {"four", maxAhead + 103, maxAhead + 104}} {
			r.directory.set(row.peer, r.b, 5)
			verdicts := r.claimOf(row.peer)
			r.answered(r.b, row.peer, r.claimIDs, answerGranted, row.term)
			if len(*verdicts) != 1 || (*verdicts)[0].Term != row.want || !(*verdicts)[0].Granted {
				t.Errorf("%s: verdicts %+v, want term %d", row.peer, *verdicts, row.want)
			}
			if term, own := r.directory.termOf(row.peer, r.self); !own || term != row.want {
				t.Errorf("%s: the directory has the term %d, want %d", row.peer, term, row.want)
			}
		}
	})
}

// A peer is reported as free once, when its home releases it, is lost or has left, and not after a new claim for it.
func TestFreePeerIsReportedOnce(t *testing.T) {
	for name, ends := range map[string]func(r *coordinatorRig){
		"released": func(r *coordinatorRig) {
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 1, releases: []release{{"peer", 0}}})
		},
		"lost": func(r *coordinatorRig) { r.lose(r.b) },
		"left": func(r *coordinatorRig) { r.hear(&message{head: head{kindGoodbye, "b", 1}, seq: 1}) },
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			freed := map[string]int{}
			for _, peer := range []string{"peer", "kept"} {
				r.awaits[peer] = func() { freed[peer]++ }
			}
			r.directory.set("peer", r.b, 5)
			r.directory.set("kept", r.a, 5)
			r.retryClaims()
			if len(freed) != 0 {
				t.Errorf("%s: reports %v while the peers have homes", name, freed)
			}
			ends(r)
			if freed["peer"] != 1 {
				t.Errorf("%s: reports %v at once, want one about the peer of b", name, freed)
			}
			r.retryClaims()
			if freed["peer"] != 1 || freed["kept"] != 0 {
				t.Errorf("%s: reports %v, want one about the peer of b", name, freed)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.awaits["peer"] = func() { t.Error("a peer that is claimed is reported as free") }
		r.directory.set("peer", r.b, 5)
		verdicts := r.claimOf("peer")
		r.lose(r.b)
		r.onReleasing(&releasing{"peer", (*verdicts)[0].Term, 3})
		r.retryClaims()
	})
}

// The registry decides about the claims of one member for a peer at a time, and knows each claim once. The decision
// about the latest claim counts: the registry may have decided an earlier one before it knew the later one. Without the
// peer, or after a grant, a member is told to ask again.
func TestContestAnswersTheLatestQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		answers := func(when string, want ...message) {
			t.Helper()
			var got []message
			for _, m := range r.bus.take(kindVerdict) {
				got = append(got, message{id: m.id, answer: m.answer})
			}
			if !slices.EqualFunc(got, want, func(a, b message) bool { return a.id == b.id && a.answer == b.answer }) {
				t.Errorf("%s: answers %+v, want %+v", when, got, want)
			}
		}
		r.contest(r.a, "peer", 1)
		answers("no claim here", message{id: 1, answer: answerAgain})
		r.claimOf("peer")
		r.contest(r.a, "peer", 2)
		earlier := r.contests["peer"]
		r.contest(r.a, "peer", 2)
		r.contest(r.a, "peer", 3)
		r.contest(r.b, "peer", 4)
		answers("the registry decides", message{id: 2, answer: answerWait}, message{id: 2, answer: answerWait},
			message{id: 3, answer: answerWait}, message{id: 4, answer: answerAgain})
		if c := r.log.contests; len(c) != 2 || c[0].Member != "a" || c[1].Member != "a" {
			t.Fatalf("contests %+v, want two of a", c)
		}
		r.onContested(&contested{by: earlier, verdict: supervisor.ClaimVerdict{Granted: true}})
		answers("an earlier claim is granted")
		by := r.contests["peer"]
		r.onContested(&contested{by: by})
		answers("refused", message{id: 3, answer: answerRefused})
		r.contest(r.b, "peer", 5)
		r.onContested(&contested{by: by, verdict: supervisor.ClaimVerdict{Granted: true}})
		answers("the other member is granted what it was refused", message{id: 5, answer: answerWait})
		by = r.contests["peer"]
		r.onContested(&contested{by: by, verdict: supervisor.ClaimVerdict{Granted: true}})
		r.contest(r.a, "peer", 6)
		answers("granted", message{id: 5, answer: answerGranted}, message{id: 6, answer: answerAgain})
	})
}

// Until Join has ended a claim is undecided: a member whose claims are not known yet may hold the peer.
func TestClaimWaitsForTheJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.joined = func(error) {}
		verdicts := r.claimOf("peer")
		r.retryClaims()
		r.answered(r.a, "peer", r.claimIDs, answerGranted, 5) // nothing was asked
		if len(*verdicts) != 0 {
			t.Fatalf("verdicts %+v during Join", *verdicts)
		}
		r.endJoin(nil)
		if len(*verdicts) != 1 || !(*verdicts)[0].Granted {
			t.Errorf("verdicts %+v after Join, want one grant", *verdicts)
		}
	})
}
