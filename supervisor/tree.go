package supervisor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// Observer is told how long things took: see WithObserver.
type Observer = actors.Observer

// Tree is the supervision tree as it is at one moment: the registry and the actors of its connections below it.
type Tree struct {
	Registry string   // the actor's ID
	Restarts uint64   // panics of the registry, which went on each time
	Stopped  uint64   // connections that ended because their actor panicked
	Total    int      // actors of connections
	Branches []Branch // the oldest first; no more than were asked for
}

// Branch is the actor of one connection.
type Branch struct {
	Actor     string // the actor's ID
	Peer      string // node ID; empty until the peer has said who it is
	Name      string // as the peer gives it: quote it before you print it
	Direction Direction
	State     BranchState
	Carrier   bool      // it carries the peer's traffic
	Since     time.Time // when its place was given
}

// BranchState is how far a connection has come.
type BranchState string

// The states of a connection, as the registry sees them.
const (
	BranchPending     BranchState = "pending"     // in handshake, or on the way out
	BranchProvisional BranchState = "provisional" // open; the peer has not proven that it holds its key
	BranchProven      BranchState = "proven"      // open, and proven
	BranchClosing     BranchState = "closing"     // it has said that it ends
)

// Tree returns the supervision tree with limit connections at most. The error is ErrStopped or ctx's.
func (t *Transport) Tree(ctx context.Context, limit int) (Tree, error) {
	tree, err := ask[*Tree](ctx, t, &getTree{limit: limit})
	if err != nil {
		return Tree{}, err
	}
	return *tree, nil
}

// getTree asks for the tree.
type getTree struct{ limit int }

func (*getTree) fromTransport() {}

// tree describes the registry and its children.
func (r *registry) tree(limit int) *Tree {
	tree := &Tree{Registry: r.self.Id, Restarts: r.restarts, Stopped: r.panicked, Total: len(r.slots)}
	oldest := make([]*slot, 0, len(r.slots))
	for _, s := range r.slots {
		oldest = append(oldest, s)
	}
	slices.SortFunc(oldest, func(a, b *slot) int {
		return cmp.Or(a.born.Compare(b.born), cmp.Compare(a.pid.Id, b.pid.Id))
	})
	for _, s := range oldest[:min(max(limit, 0), len(oldest))] {
		b := Branch{Actor: s.pid.Id, Direction: s.direction, State: s.state(), Since: s.born}
		if s.conn != nil {
			b.Peer, b.Name = s.conn.peer.ID, s.conn.peer.Name
			list := r.peers[b.Peer]
			b.Carrier = len(list) > 0 && list[0] == s && s.rank.strength.Verified()
		}
		tree.Branches = append(tree.Branches, b)
	}
	return tree
}

func (s *slot) state() BranchState {
	switch {
	case s.closed:
		return BranchClosing
	case s.conn == nil:
		return BranchPending
	case s.rank.strength.Verified():
		return BranchProven
	default:
		return BranchProvisional
	}
}
