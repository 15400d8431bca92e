package supervisor

import (
	"cmp"
	"context"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/internal/lowest"
)

// Observer receives measured durations, see WithObserver.
type Observer = actors.Observer

// Tree is the supervision tree at one moment: the registry and the connection actors, its children.
type Tree struct {
	Registry string // the actor's ID
	Restarts uint64 // panics of the registry, which continued after each
	Stopped  uint64 // connections that ended because their actor panicked
	Total    int    // actors of connections

	Connections []ConnectionActor // the oldest first; at most the requested number
}

// ConnectionActor describes the actor of one connection.
type ConnectionActor struct {
	Actor     string // the actor's ID
	Peer      string // node ID; empty before the peer is identified
	Name      string // chosen by the peer: quote it before printing
	Direction Direction
	State     ConnectionState
	Route     bool      // the connection is the route to the peer
	Since     time.Time // when its slot was created
}

// ConnectionState is the state of a connection, as the registry sees it.
type ConnectionState string

// The states of a connection.
const (
	ConnectionPending    ConnectionState = "pending"    // handshake or dial in progress
	ConnectionUnverified ConnectionState = "unverified" // open
	ConnectionVerified   ConnectionState = "verified"   // open
	ConnectionClosing    ConnectionState = "closing"    // the connection has reported its end
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

// tree answers getTree, in one pass over the slots.
func (r *registry) tree(limit int) *Tree {
	tree := &Tree{Registry: r.self.Id, Restarts: r.restarts, Stopped: r.panicked, Total: len(r.slots)}
	if limit <= 0 {
		return tree
	}
	oldest := lowest.Of(limit, func(a, b *slot) int {
		return cmp.Or(a.born.Compare(b.born), cmp.Compare(a.pid.Id, b.pid.Id))
	})
	for _, s := range r.slots {
		oldest.Add(s)
	}
	for _, s := range oldest.Sorted() {
		c := ConnectionActor{Actor: s.pid.Id, Direction: s.direction, State: s.state(), Since: s.born}
		if s.conn != nil {
			c.Peer, c.Name = s.conn.peer.ID, s.conn.peer.Name
			list := r.peers[c.Peer]
			c.Route = len(list) > 0 && list[0] == s && s.rank.strength.Verified()
		}
		tree.Connections = append(tree.Connections, c)
	}
	return tree
}

func (s *slot) state() ConnectionState {
	switch {
	case s.closed:
		return ConnectionClosing
	case s.conn == nil:
		return ConnectionPending
	case s.rank.strength.Verified():
		return ConnectionVerified
	default:
		return ConnectionUnverified
	}
}
