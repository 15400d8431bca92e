package cluster

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// A peer that was granted to another member is freed when that one has not announced its claim for two seconds. If the
// peer was released before the grant, nothing is left to free.
func TestGrantedPeerIsFreedAfterTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		for _, peer := range []string{"peer", "released", "moved"} {
			verdicts := r.claimOf(peer)
			r.contest(r.a, peer, 1)
			by := r.contests[peer]
			if peer == "released" {
				r.onReleasing(&releasing{peer, (*verdicts)[0].Term, 3})
			}
			r.onContested(&contested{by: by, verdict: supervisor.ClaimVerdict{Granted: true}})
		}
		r.hear(&message{head: head{kindUpdate, "a", 1}, seq: 1, claims: []holding{{"moved", r.clock + 1}}})
		if len(r.yielded) != 1 || len(r.log.taken) != 0 {
			t.Errorf("waits for claims of %v, and reports %v as taken", r.yielded, r.log.taken)
		}
		r.flush()
		if sent := r.bus.take(kindUpdate); len(sent) != 1 || len(sent[0].releases) != 2 || len(sent[0].claims) != 1 {
			t.Errorf("announces %+v, want two releases and a claim", sent)
		}
		time.Sleep(lostAfter - 1)
		r.freeYielded(time.Now())
		if _, own := r.directory.termOf("peer", r.self); !own {
			t.Error("the peer is freed early")
		}
		time.Sleep(time.Nanosecond)
		r.freeYielded(time.Now())
		r.flush()
		sent := r.bus.take(kindUpdate)
		if len(sent) != 1 || len(sent[0].releases) != 1 || sent[0].releases[0] != (release{"peer", -1}) {
			t.Errorf("announces %+v, want the release of the peer", sent)
		}
		if _, own := r.directory.termOf("peer", r.self); own || len(r.yielded) != 0 {
			t.Errorf("after two seconds: own is %v, waits for %v", own, r.yielded)
		}
	})
}

// A peer whose bucket is empty starts with no tokens at its next home. Tokens that were named before this member has
// held the peer do not count after it.
func TestTokensOfAFormerHomeCountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.directory.set("peer", r.b, 5)
		verdicts := r.claimOf("peer")
		r.onVerdict(&message{
			head: head{kindVerdict, "b", 1}, id: r.claimIDs, claim: supervisor.Claim{Peer: "peer"}, answer: answerGranted,
			verdict: supervisor.ClaimVerdict{Term: 5},
		})
		if len(*verdicts) != 1 || (*verdicts)[0].Tokens != 0 {
			t.Errorf("verdicts %+v, want one with no tokens", *verdicts)
		}
		r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 1, releases: []release{{"peer", 7}}})
		r.onReleasing(&releasing{"peer", (*verdicts)[0].Term, 3})
		if verdict := (*r.claimOf("peer"))[0]; verdict.Tokens != -1 {
			t.Errorf("the tokens are %v, want unknown ones", verdict.Tokens)
		}
	})
}

// A peer that is released or dropped has a former home from then on.
func TestEndOfAClaimLeavesAFormerHome(t *testing.T) {
	for name, ends := range map[string]func(r *coordinatorRig){
		"release": func(r *coordinatorRig) {
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: 1, releases: []release{{"peer", 0}}})
		},
		"goodbye":  func(r *coordinatorRig) { r.hear(&message{head: head{kindGoodbye, "b", 1}, seq: 1}) },
		"restart":  func(r *coordinatorRig) { r.hear(&message{head: head{kindUpdate, "b", 2}, seq: 1}) },
		"snapshot": func(r *coordinatorRig) { r.replace(r.b, []holding{{"kept", 6}}) },
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newCoordinatorRig(t)
			r.directory.set("peer", r.b, 5)
			r.directory.set("kept", r.b, 6)
			ends(r)
			s := r.engine.seen
			if list := s.former["peer"]; len(list) != 1 || list[0].member != "b" || list[0].boot != 1 {
				t.Errorf("%s: former homes %+v, want b", name, list)
			}
			if n := len(s.former["kept"]); name == "snapshot" && n != 0 {
				t.Errorf("%d former homes of a peer that its home keeps", n)
			}
			r.hear(&message{head: head{kindUpdate, "a", 1}, seq: 1, releases: []release{{"nowhere", 0}}})
			if n := len(s.former["nowhere"]); n != 0 {
				t.Errorf("%d former homes of a peer that the member did not hold", n)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		verdict := (*r.claimOf("peer"))[0]
		s := r.engine.seen
		s.ended("peer", r.b, true)
		r.onReleasing(&releasing{"peer", verdict.Term, 3})
		if _, kept := s.kept["peer"]; len(s.held["peer"]) != 0 || !kept {
			t.Errorf("after the release here: held %v, kept %v", s.held["peer"], kept)
		}
	})
}

// A release counts for the claim whose term it names.
func TestReleaseOfAnEarlierTermIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		verdict := (*r.claimOf("peer"))[0]
		r.onReleasing(&releasing{"peer", verdict.Term - 1, 3})
		r.onReleasing(&releasing{"other", 0, 3})
		r.flush()
		if sent := r.bus.take(kindUpdate); len(sent) != 1 || len(sent[0].releases) != 0 || len(sent[0].claims) != 1 {
			t.Errorf("announces %+v, want the claim", sent)
		}
		r.onReleasing(&releasing{"peer", verdict.Term, 3})
		r.flush()
		sent := r.bus.take(kindUpdate)
		if len(sent) != 1 || !slices.Equal(sent[0].releases, []release{{"peer", 3}}) || len(sent[0].claims) != 0 {
			t.Errorf("announces %+v, want the release with its tokens", sent)
		}
	})
}
