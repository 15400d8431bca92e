package supervisor

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
)

var rankStart = time.Unix(1_000_000, 0)

// allRanks returns verified ranks with every combination of properties. Bound ones and sessions prove at times around
// the window.
func allRanks() (all []rank) {
	for i := range 1 << 7 {
		r := rank{
			strength: actors.Unmarked, framed: true, living: i&1 != 0, outbound: i&2 != 0, expected: i&4 != 0,
			smaller: i&8 != 0, demoted: i&16 != 0, order: uint64(i),
		}
		if i&32 != 0 {
			r.strength, r.demoted = actors.Bound, false
			r.boundAt = rankStart.Add(time.Duration(i&7) * 4 * time.Second)
			if i&64 != 0 {
				r.strength = actors.Session
			}
		}
		all = append(all, r)
	}
	return all
}

func TestRankPrefersExactlyOneOfTwo(t *testing.T) {
	for _, a := range allRanks() {
		for _, b := range allRanks() {
			if a.order != b.order && a.outranks(b) == b.outranks(a) {
				t.Fatalf("%+v and %+v: not exactly one outranks", a, b)
			}
		}
	}
}

func TestRankOrdersByTable(t *testing.T) {
	unmarked := rank{strength: actors.Unmarked, framed: true, living: true, order: 5}
	bound := rank{strength: actors.Bound, framed: true, living: true, order: 9, boundAt: rankStart}
	with := func(r rank, change func(*rank)) rank { change(&r); return r }
	session := with(bound, func(r *rank) { r.strength = actors.Session })
	for name, c := range map[string]struct{ first, other rank }{
		"session before bound, however young": {
			with(session, func(r *rank) { r.boundAt = rankStart.Add(time.Hour) }), bound,
		},
		"session before bound within the window, whichever dialled": {
			session, with(bound, func(r *rank) { r.smaller = true }),
		},
		"sessions: the older proof": {
			session, with(session, func(r *rank) { r.smaller, r.boundAt = true, rankStart.Add(10*time.Second) }),
		},
		"sessions, crossed dials: the smaller id's": {
			with(session, func(r *rank) { r.smaller, r.boundAt = true, rankStart.Add(10*time.Second-1) }), session,
		},
		"bound before unmarked, however young": {bound, unmarked},
		"unframed outbound last": {
			unmarked, with(unmarked, func(r *rank) { r.framed, r.outbound, r.order = false, true, 1 }),
		},
		"living before dead": {
			with(bound, func(r *rank) { r.boundAt = rankStart.Add(time.Minute) }),
			with(bound, func(r *rank) { r.living = false }),
		},
		"living and bound before a dead session": {
			bound, with(session, func(r *rank) { r.living = false }),
		},
		"older proof": {
			bound, with(bound, func(r *rank) { r.smaller, r.boundAt = true, rankStart.Add(10*time.Second) }),
		},
		"crossed dials: the smaller id's": {
			with(bound, func(r *rank) { r.smaller, r.boundAt = true, rankStart.Add(10*time.Second-1) }), bound,
		},
		"same dialler within the window: older proof": {
			bound, with(bound, func(r *rank) { r.boundAt = rankStart.Add(time.Second) }),
		},
		"unmarked, expected and dialled before an inbound incumbent": {
			with(unmarked, func(r *rank) { r.outbound, r.expected, r.order = true, true, 9 }), unmarked,
		},
		"unmarked, dialled elsewhere stays behind the incumbent": {
			unmarked, with(unmarked, func(r *rank) { r.outbound, r.order = true, 9 }),
		},
		"unmarked incumbent": {unmarked, with(unmarked, func(r *rank) { r.order = 6 })},
		"demoted behind a contender": {
			with(unmarked, func(r *rank) { r.order = 6 }), with(unmarked, func(r *rank) { r.demoted = true }),
		},
	} {
		if !c.first.outranks(c.other) || c.other.outranks(c.first) {
			t.Errorf("%s: the other one outranks", name)
		}
	}
}

// A connection takes over from a dead route of its strength or less; a bound one also from a session.
func TestFollowerIsAsStrongAsTheRouteOrBound(t *testing.T) {
	const unmarked, bound, session = actors.Unmarked, actors.Bound, actors.Session
	for _, c := range []struct {
		follower, route actors.Strength
		want            bool
	}{
		{unmarked, unmarked, true},
		{unmarked, bound, false},
		{unmarked, session, false},
		{bound, unmarked, true},
		{bound, bound, true},
		{bound, session, true},
		{session, session, true},
	} {
		if got := (rank{strength: c.follower}).mayFollow(rank{strength: c.route}); got != c.want {
			t.Errorf("%v follows %v: %v, want %v", c.follower, c.route, got, c.want)
		}
	}
}

func TestContestVerdictFollowsTable(t *testing.T) {
	unmarked := rank{strength: actors.Unmarked, framed: true, living: true, order: 1}
	bound := rank{strength: actors.Bound, framed: true, living: true, order: 1, boundAt: rankStart}
	later := func(r rank, by time.Duration) rank {
		r.order++
		if r.isBound() {
			r.boundAt = r.boundAt.Add(by)
		}
		return r
	}
	with := func(r rank, change func(*rank)) rank { change(&r); return r }
	for name, c := range map[string]struct {
		incumbent, contender rank
		want                 routeVerdict
	}{
		"a claim that was copied from another connection": {bound, later(unmarked, 0), routeStays},
		"a return after a crash":                          {bound, later(bound, time.Hour), routeContested},
		"a return within the window, same dialler":        {bound, later(bound, time.Second), routeContested},
		"crossed dials, contender of smaller id": {
			bound, with(later(bound, 1), func(r *rank) { r.smaller = true }),
			routeMoves,
		},
		"crossed dials, contender of larger id": {
			with(bound, func(r *rank) { r.smaller = true }), later(bound, 1),
			routeContested,
		},
		"a dead incumbent": {
			with(bound, func(r *rank) { r.living = false }),
			later(bound, time.Hour), routeMoves,
		},
		"a session beside a bound one": {
			bound, with(later(bound, time.Hour), func(r *rank) { r.strength = actors.Session }), routeMoves,
		},
		"a bound one beside a session": {
			with(bound, func(r *rank) { r.strength = actors.Session }), later(bound, 1), routeContested,
		},
		"a bound one beside a dead session": { // the peer came back after sessions were switched off
			with(bound, func(r *rank) { r.strength, r.living = actors.Session, false }), later(bound, 1), routeMoves,
		},
		"an unmarked one beside a dead session": {
			with(bound, func(r *rank) { r.strength, r.living = actors.Session, false }), later(unmarked, 1), routeStays,
		},
		"two unmarked":                   {unmarked, later(unmarked, 0), routeContested},
		"a bound one beside an unmarked": {unmarked, later(bound, 0), routeMoves},
		"an unmarked of a peer that binds": {
			unmarked,
			with(later(unmarked, 0), func(r *rank) { r.demoted = true }), routeStays,
		},
		"an ack that was relayed": {
			unmarked,
			with(later(unmarked, 0), func(r *rank) { r.outbound, r.framed = true, false }), routeStays,
		},
	} {
		if got := judgeContest(c.incumbent, c.contender); got != c.want {
			t.Errorf("%s: verdict %d, want %d", name, got, c.want)
		}
	}
}
