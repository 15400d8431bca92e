package control

import (
	"context"
	"errors"
	"testing"

	"github.com/Snider/go-p2p/supervisor"
)

// busyNode has a peer book of some size, and records the query for its peers.
type busyNode struct {
	fakeNode
	known int
	query supervisor.PeerQuery
}

func (n *busyNode) KnownPeers() int { return n.known }

func (n *busyNode) Load() supervisor.Load { return supervisor.Load{Peers: 2, Queued: 3} }

func (n *busyNode) PeerPage(_ context.Context, q supervisor.PeerQuery) (supervisor.PeerPage, error) {
	n.query = q
	return supervisor.PeerPage{
		Peers: []supervisor.PeerInfo{{ID: bobID, Connected: true, Verified: true, QueuedSize: 9}, {ID: aliceID}},
		Next:  aliceID,
	}, nil
}

// asker passes the questions of a member on to a handler; nil: it has left.
type asker struct{ h *Handler }

func (a asker) AskMembers(ctx context.Context, q []byte, names ...string) []supervisor.MemberAnswer {
	if a.h == nil {
		return nil
	}
	answer, err := a.h.Answer(ctx, q)
	return []supervisor.MemberAnswer{{Member: names[0], Answer: answer, Err: err}}
}

// TestOverviewListsPeersInUse requires a large peer book to be left out, and a small one to be in the overview.
func TestOverviewListsPeersInUse(t *testing.T) {
	for known, inUse := range map[int]bool{20: false, 21: true} {
		n := &busyNode{known: known}
		o, err := AskOverview(t.Context(), asker{NewHandler(n, 1<<20)}, "b", "~aDox", 20)
		if want := (supervisor.PeerQuery{After: "~h:1", Limit: 20, InUse: inUse}); err != nil || n.query != want {
			t.Errorf("%d known: %+v, %v", known, n.query, err)
		}
		if len(o.Peers) != 2 || o.Next != aliceID || o.QueuedBytes[bobID] != 9 || len(o.QueuedBytes) != 1 ||
			o.Known != known || o.Load.Queued != 3 || o.Status.Version != "v9" {
			t.Errorf("%+v", o)
		}
	}
}

func TestOverviewIsBounded(t *testing.T) {
	h := NewHandler(&busyNode{}, 1<<20)
	for _, limit := range []int{0, maxMemberPage + 1} {
		if _, err := AskOverview(t.Context(), asker{h}, "b", "", limit); err == nil {
			t.Errorf("limit %d is accepted", limit)
		}
	}
	if _, err := AskOverview(t.Context(), asker{}, "b", "", 1); !errors.Is(err, supervisor.ErrUnanswered) {
		t.Errorf("a member that has left: %v", err)
	}
}
