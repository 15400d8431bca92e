package supervisor

import (
	"iter"
	"maps"
	"slices"
	"sync"
)

// routeTable maps each verified peer to its route. Only the registry writes it; all senders read it. The node has one
// such table.
type routeTable struct {
	mu         sync.RWMutex
	routes     map[string]*PeerConnection
	alternates map[string][]*PeerConnection // most routes have none
	unverified map[string]bool              // connected peers without a verified connection
	holds      map[string]*hold             // peers whose only dialled connection is held
}

// route holds the connection that carries a peer's messages. While it is contested, messages also go out on the
// alternates. The receiver's dedup set drops the second copy, so that neither a take-over nor a dead route loses a
// message.
type route struct {
	conn       *PeerConnection
	alternates []*PeerConnection
}

func newRouteTable() *routeTable {
	return &routeTable{
		routes: make(map[string]*PeerConnection), alternates: make(map[string][]*PeerConnection),
		unverified: make(map[string]bool), holds: make(map[string]*hold),
	}
}

// set publishes the route to a peer.
func (t *routeTable) set(peerID string, conn *PeerConnection, alternates []*PeerConnection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.unverified, peerID)
	t.routes[peerID] = conn
	delete(t.alternates, peerID)
	if len(alternates) > 0 {
		t.alternates[peerID] = alternates
	}
	t.endHold(peerID, route{conn, alternates})
}

// setUnverified records that a peer is connected but has no verified connection. held: senders wait for one.
func (t *routeTable) setUnverified(peerID string, held bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.routes, peerID)
	delete(t.alternates, peerID)
	t.unverified[peerID] = true
	switch {
	case !held:
		t.endHold(peerID, route{})
	case t.holds[peerID] == nil:
		t.holds[peerID] = &hold{ended: make(chan struct{})}
	}
}

// remove records that a peer has no connection.
func (t *routeTable) remove(peerID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.routes, peerID)
	delete(t.alternates, peerID)
	delete(t.unverified, peerID)
	t.endHold(peerID, route{})
}

// missing returns why there is no route to a peer: ErrUnverified or ErrNotConnected.
func (t *routeTable) missing(peerID string) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.unverified[peerID] {
		return ErrUnverified
	}
	return ErrNotConnected
}

// get returns the connection that is the route to a peer, or nil.
func (t *routeTable) get(peerID string) *PeerConnection {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.routes[peerID]
}

func (t *routeTable) route(peerID string) route {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return route{t.routes[peerID], t.alternates[peerID]}
}

func (t *routeTable) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.routes)
}

// allRoutes returns a copy of the present routes.
func (t *routeTable) allRoutes() []route {
	t.mu.RLock()
	defer t.mu.RUnlock()
	now := make([]route, 0, len(t.routes))
	for id, conn := range t.routes {
		now = append(now, route{conn, t.alternates[id]})
	}
	return now
}

// all iterates over a copy of the present routes.
func (t *routeTable) all() iter.Seq[*PeerConnection] {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Values(slices.Collect(maps.Values(t.routes)))
}
