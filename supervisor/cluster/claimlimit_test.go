package cluster

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// A member of a later version may send a strength that this version does not know: it counts as the greatest known.
func TestDecodeLimitsTheStrengthOfAClaim(t *testing.T) {
	for sent, want := range map[actors.Strength]actors.Strength{
		actors.Claimed: actors.Claimed, actors.Session: actors.Session, actors.Session + 1: actors.Session,
		255: actors.Session,
	} {
		msg := &message{head: head{kindClaim, "a", 1}, id: 1, claim: supervisor.Claim{Peer: "peer", Strength: sent}}
		got, err := decode(msg.encode())
		if err != nil || got.claim.Strength != want {
			t.Errorf("strength %d is decoded as %d (%v), want %d", uint8(sent), uint8(got.claim.Strength), err, want)
		}
	}
}

// A member that has as many claims as a snapshot may have gets no further ones by updates. Its claims can still be
// renewed, and a release makes room for one.
func TestUpdatesAddNoClaimsAboveTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.engine.local = r.log
		r.b.held = maxClaims - 1 // as if it had claims of other peers
		update := func(claims []holding, released ...release) {
			r.hear(&message{head: head{kindUpdate, "b", 1}, seq: r.b.next, claims: claims, releases: released})
		}
		expect := func(when string, refused, held int, want ...holding) {
			t.Helper()
			have := r.b.held
			r.b.held = len(want)
			if got := r.directory.of(r.b); have != held || !slices.Equal(got, want) {
				t.Errorf("%s: %d claims, among them %v, want %d and %v", when, have, got, held, want)
			}
			r.b.held = have
			if n := r.log.counts[actors.ClusterDroppedRefused]; n != refused {
				t.Errorf("%s: %d messages are counted as refused, want %d", when, n, refused)
			}
			if n := strings.Count(r.lines.String(), "too many"); n != refused {
				t.Errorf("%s: %d lines, want %d: %s", when, n, refused, r.lines)
			}
		}
		update([]holding{{"one", 1}, {"three", 1}, {"two", 1}})
		expect("after three claims", 1, maxClaims, holding{"one", 1})
		update([]holding{{"one", 2}})
		expect("after a renewal", 1, maxClaims, holding{"one", 2})
		update([]holding{{"two", 3}}, release{"one", -1})
		expect("after a release", 1, maxClaims, holding{"two", 3})
		update([]holding{{"one", 4}})
		expect("after one claim more", 2, maxClaims, holding{"two", 3})
	})
}

// A member of a later version may announce a state that this version does not know. It is there, its heartbeats count,
// and it counts as draining: no peer and no address is left to it. Nor can a member announce that it is lost.
func TestUnknownStateCountsAsDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newCoordinatorRig(t)
		r.engine.local = r.log
		r.hear(&message{head: head{kindHeartbeat, "a", 1}, seq: 1})
		for i, state := range []supervisor.MemberState{supervisor.MemberLost, supervisor.MemberLost + 1, 255} {
			beat := heartbeat{state: state, connections: 7}
			r.hear(&message{head: head{kindHeartbeat, "b", 1}, seq: uint64(1 + i), beat: beat})
			if r.b.state() != supervisor.MemberDraining || r.b.beat.connections != 7 || r.b.next != uint64(2+i) {
				t.Errorf("state %d: %s with %d connections, next %d", state, r.b.state(), r.b.beat.connections, r.b.next)
			}
		}
		r.considerMembers()
		if alive := *r.engine.alive.Load(); slices.Contains(alive, "b") || r.engine.elsewhere.Load() != 7 {
			t.Errorf("alive are %v, with %d connections elsewhere", alive, r.engine.elsewhere.Load())
		}
		if n := r.log.counts[actors.ClusterDroppedMalformed]; n != 0 {
			t.Errorf("%d messages were dropped", n)
		}
	})
}
