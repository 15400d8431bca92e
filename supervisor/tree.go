package supervisor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// Observer receives measured durations, see WithObserver.
type Observer = actors.Observer

// Tree is the supervision tree at one moment: the registry and the connection actors, its children.
type Tree struct {
	Registry string   // the actor's ID
	Restarts uint64   // panics of the registry, which continued after each
	Stopped  uint64   // connections that ended because their actor panicked
	Total    int      // actors of connections
	Branches []Branch // the oldest first; at most the requested number
}

// Branch describes the actor of one connection.
type Branch struct {
	Actor     string // the actor's ID
	Peer      string // node ID; empty before the peer is identified
	Name      string // chosen by the peer: quote it before printing
	Direction Direction
	State     BranchState
	Carrier   bool      // the connection is the route to the peer
	Since     time.Time // when its slot was created
}

// BranchState is the state of a connection.
type BranchState string

// The states of a connection, as the registry sees them.
const (
	BranchPending     BranchState = "pending"     // handshake or dial in progress
	BranchProvisional BranchState = "provisional" // open, unverified
	BranchProven      BranchState = "proven"      // open, verified
	BranchClosing     BranchState = "closing"     // the connection has reported its end
)

// Tree returns the supervision tree with at most limit connections. The error is ErrStopped or ctx's.
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

// tree answers getTree.
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
