package supervisor

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// A dial that began after another connection of the peer was bound did not cross that one. A relay that is dialled
// later displaces no living connection, regardless of which side has the smaller id.
func TestLateDialDoesNotCross(t *testing.T) {
	direct := rank{strength: actors.Bound, framed: true, living: true, order: 1, bound: rankStart}
	relayed := rank{
		strength: actors.Bound, framed: true, living: true, outbound: true, smaller: true, order: 2,
		bound: rankStart.Add(2 * time.Second),
	}
	if got := judgeContest(direct, relayed); got != routeMoves {
		t.Errorf("crossed dials: verdict %d, want the one of the smaller id", got)
	}
	relayed.late = true
	if got := judgeContest(direct, relayed); got != routeContested {
		t.Errorf("a late dial: verdict %d, want a probe of the direct link", got)
	}
}
