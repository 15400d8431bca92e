package supervisor

import (
	"iter"
	"slices"
	"sync"
)

// directory is the route table: which connection carries each verified peer's traffic. The registry writes it; every
// sender reads it. It is the only such table.
type directory struct {
	mu     sync.RWMutex
	routes map[string]route
}

// route is the way to one peer. While two connections of the peer are contested, messages go out on both: the
// receiver's dedup set drops the second copy, and neither a take-over nor a dead incumbent loses a message.
type route struct {
	conn *PeerConnection
	twin *PeerConnection // nil: none
}

func newDirectory() *directory { return &directory{routes: make(map[string]route)} }

// set publishes the route to a peer; conn nil: there is none.
func (d *directory) set(peerID string, conn, twin *PeerConnection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if conn == nil {
		delete(d.routes, peerID)
		return
	}
	d.routes[peerID] = route{conn, twin}
}

// get returns the connection that carries a peer's traffic, nil when there is none.
func (d *directory) get(peerID string) *PeerConnection { return d.route(peerID).conn }

func (d *directory) route(peerID string) route {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.routes[peerID]
}

func (d *directory) len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.routes)
}

// allRoutes returns the routes as they are now.
func (d *directory) allRoutes() []route {
	d.mu.RLock()
	defer d.mu.RUnlock()
	now := make([]route, 0, len(d.routes))
	for _, way := range d.routes {
		now = append(now, way)
	}
	return now
}

// all goes through the connections that carry traffic as they are now.
func (d *directory) all() iter.Seq[*PeerConnection] {
	routes := d.allRoutes()
	now := make([]*PeerConnection, len(routes))
	for i, way := range routes {
		now[i] = way.conn
	}
	return slices.Values(now)
}
