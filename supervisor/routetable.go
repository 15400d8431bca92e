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
	index      map[string]int               // by node ID: position in conns
	conns      []*PeerConnection            // the routes, in any order
	shared     bool                         // a snapshot has conns: copy it before the next change
	alternates map[string][]*PeerConnection // most routes have none
	unverified map[string]bool              // connected peers without a verified connection
	listed     map[string][]*PeerConnection // all connections of peers that have other ones than a route, the route first
	holds      map[string]*hold             // peers whose senders wait for a route
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
		index: make(map[string]int), alternates: make(map[string][]*PeerConnection),
		unverified: make(map[string]bool), holds: make(map[string]*hold), listed: make(map[string][]*PeerConnection),
	}
}

// set publishes the route to a peer.
func (t *routeTable) set(peerID string, conn *PeerConnection, alternates []*PeerConnection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.unverified, peerID)
	t.own()
	if at, known := t.index[peerID]; known {
		t.conns[at] = conn
	} else {
		t.index[peerID] = len(t.conns)
		t.conns = append(t.conns, conn)
	}
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
	t.removeRoute(peerID)
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
	t.removeRoute(peerID)
	delete(t.unverified, peerID)
	delete(t.listed, peerID)
	t.endHold(peerID, route{})
}

// list records all connections of a peer, the route first; nil: it has none but its route.
func (t *routeTable) list(peerID string, open []*PeerConnection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if open == nil {
		delete(t.listed, peerID)
		return
	}
	t.listed[peerID] = open
}

// open returns all connections of a peer, the route first.
func (t *routeTable) open(peerID string) []*PeerConnection {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if open := t.listed[peerID]; open != nil {
		return open
	}
	if conn := t.conn(peerID); conn != nil {
		return []*PeerConnection{conn}
	}
	return nil
}

// addIDs calls add with the node ID of each connected peer, some twice. verified: only of those with a route.
func (t *routeTable) addIDs(add func(id string), verified bool) {
	t.mu.Lock()
	t.shared = true
	conns, others := t.conns, make([]string, 0, len(t.listed))
	for id := range t.listed {
		others = append(others, id)
	}
	t.mu.Unlock()
	for _, conn := range conns {
		add(conn.peer.ID)
	}
	if !verified {
		for _, id := range others {
			add(id)
		}
	}
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

// removeRoute removes the route to a peer, if there is one. The last route takes its position. t.mu is held.
func (t *routeTable) removeRoute(peerID string) {
	at, known := t.index[peerID]
	if !known {
		return
	}
	t.own()
	last := len(t.conns) - 1
	t.conns[at] = t.conns[last]
	t.index[t.conns[at].peer.ID] = at
	t.conns[last] = nil
	t.conns = t.conns[:last]
	delete(t.index, peerID)
	delete(t.alternates, peerID)
}

// own copies conns if a snapshot has it. t.mu is held.
func (t *routeTable) own() {
	if t.shared {
		t.conns, t.shared = slices.Clone(t.conns), false
	}
}

// get returns the connection that is the route to a peer, or nil.
func (t *routeTable) get(peerID string) *PeerConnection {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.conn(peerID)
}

// conn is get. t.mu is held.
func (t *routeTable) conn(peerID string) *PeerConnection {
	if at, known := t.index[peerID]; known {
		return t.conns[at]
	}
	return nil
}

func (t *routeTable) route(peerID string) route {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return route{t.conn(peerID), t.alternates[peerID]}
}

func (t *routeTable) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.conns)
}

// routes are the routes at one moment. They never change.
type routes struct {
	conns      []*PeerConnection
	alternates map[string][]*PeerConnection
}

// snapshot returns the present routes. It copies none of them: the next change of the table does.
func (t *routeTable) snapshot() routes {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shared = true
	now := routes{conns: t.conns}
	if len(t.alternates) > 0 {
		now.alternates = maps.Clone(t.alternates)
	}
	return now
}

// all iterates over the routes.
func (s routes) all() iter.Seq[route] {
	return func(yield func(route) bool) {
		for _, conn := range s.conns {
			if !yield(route{conn, s.alternates[conn.peer.ID]}) {
				return
			}
		}
	}
}
