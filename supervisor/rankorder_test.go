package supervisor

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// TestRankOrdersThree checks that no three connections outrank each other in a circle: each selection of the route
// would move the messages to the next.
func TestRankOrdersThree(t *testing.T) {
	var all []rank
	for _, r := range allRanks() {
		all = append(all, r)
		if r.isBound() {
			r.late, r.order = true, r.order+1<<7
			all = append(all, r)
		}
	}
	for _, a := range all {
		for _, b := range all {
			for _, c := range all {
				if a.order != b.order && b.order != c.order && a.outranks(b) && b.outranks(c) && c.outranks(a) {
					t.Fatalf("a circle:\n%+v\n%+v\n%+v", a, b, c)
				}
			}
		}
	}
}

// TestLateRankWaitsForProbe checks that a contender of the node that dialled a late route does not take over at once.
func TestLateRankWaitsForProbe(t *testing.T) {
	for _, direction := range []Direction{Inbound, Outbound} {
		bound := rank{strength: actors.Bound, framed: true, living: true, smaller: true, boundAt: rankStart}
		route := &slot{rank: bound, direction: direction}
		route.rank.late = true
		contender := &slot{rank: bound, direction: direction, born: rankStart.Add(-time.Second)}
		contender.rank.boundAt, contender.rank.order = rankStart.Add(time.Second), 1
		(&registry{}).judgeCrossing(route, contender)
		if verdict := judgeContest(route.rank, contender.rank); verdict != routeContested {
			t.Errorf("direction %v: verdict %d, want a probe", direction, verdict)
		}
	}
}
