package supervisor

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// A dial that began after another connection of the peer was bound did not cross that one. A relay that is dialled
// later displaces no living connection, regardless of which side has the smaller id.
func TestLateDialDoesNotCross(t *testing.T) {
	direct := rank{strength: actors.Bound, framed: true, living: true, order: 1, boundAt: rankStart}
	relayed := rank{
		strength: actors.Bound, framed: true, living: true, outbound: true, smaller: true, order: 2,
		boundAt: rankStart.Add(2 * time.Second),
	}
	if got := judgeContest(direct, relayed); got != routeMoves {
		t.Errorf("crossed dials: verdict %d, want the one of the smaller id", got)
	}
	relayed.late = true
	if got := judgeContest(direct, relayed); got != routeContested {
		t.Errorf("a late dial: verdict %d, want a probe of the direct link", got)
	}
}

// The node with the smaller ID dials its peer through a relay, 2 s after the direct connection was bound, and closes
// the relayed one as a duplicate. The relay holds that back and drops the peer's messages. The peer, which cannot know
// when the dial began, keeps the direct connection: no message is lost and no route moves.
func TestRelayThatHoldsTheDisconnectGetsNoRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		small, large := sortedPair(t, n)
		large.dial(small)
		direct := large.GetConnection(small.id())
		time.Sleep(2 * time.Second)
		relay := n.Attach("10.0.0.9")
		defer startRelay(t, relay, large.addr)()
		if _, err := small.Connect(&Peer{Address: "10.0.0.9:9091"}); err != nil {
			t.Fatal(err)
		}
		n.Stall("10.0.0.9", large.host.IP())
		n.Stall("10.0.0.9", small.host.IP())
		var want []string
		for range 120 {
			msg := large.to(small.id(), "chat", nil)
			if err := large.Send(small.id(), msg); err != nil {
				t.Error(err)
			}
			want = append(want, msg.ID)
			time.Sleep(490 * time.Millisecond)
		}
		if got := small.got("chat"); !slices.Equal(got, want) {
			t.Errorf("%d of %d messages arrived, or not in order", len(got), len(want))
		}
		for _, node := range []*testNode{small, large} {
			if moved, down := eventsOf[PeerMoved](node), eventsOf[PeerDown](node); len(moved)+len(down) != 0 {
				t.Errorf("%s: moved %+v, down %+v", node.Identity().Name, moved, down)
			}
		}
		if large.GetConnection(small.id()) != direct {
			t.Error("the direct connection does not carry the traffic")
		}
		time.Sleep(time.Minute)
		large.wantSlots(1, 0)
	})
}
