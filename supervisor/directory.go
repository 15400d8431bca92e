package supervisor

import (
	"iter"
	"maps"
	"slices"
	"sync"
)

// directory is the route table: which connection carries each verified peer's traffic. The registry writes it; every
// sender reads it. It is the only such table.
type directory struct {
	mu         sync.RWMutex
	routes     map[string]*PeerConnection
	twins      map[string][]*PeerConnection // of the few routes that have any
	unverified map[string]bool              // peers that are connected, but on no verified connection
}

// route is the way to one peer. While two connections of the peer are contested, messages go out on both: the
// receiver's dedup set drops the second copy, and neither a take-over nor a dead incumbent loses a message.
type route struct {
	conn  *PeerConnection
	twins []*PeerConnection
}

func newDirectory() *directory {
	return &directory{
		routes: make(map[string]*PeerConnection), twins: make(map[string][]*PeerConnection), unverified: make(map[string]bool),
	}
}

// set publishes the route to a peer.
func (d *directory) set(peerID string, conn *PeerConnection, twins []*PeerConnection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.unverified, peerID)
	d.routes[peerID] = conn
	delete(d.twins, peerID)
	if len(twins) > 0 {
		d.twins[peerID] = twins
	}
}

// wait notes that a peer is connected, but on no verified connection.
func (d *directory) wait(peerID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.routes, peerID)
	delete(d.twins, peerID)
	d.unverified[peerID] = true
}

// remove notes that a peer has no connection.
func (d *directory) remove(peerID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.routes, peerID)
	delete(d.twins, peerID)
	delete(d.unverified, peerID)
}

// missing returns why there is no route to a peer: ErrUnverified or ErrNotConnected.
func (d *directory) missing(peerID string) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.unverified[peerID] {
		return ErrUnverified
	}
	return ErrNotConnected
}

// get returns the connection that carries a peer's traffic, nil when there is none.
func (d *directory) get(peerID string) *PeerConnection {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.routes[peerID]
}

func (d *directory) route(peerID string) route {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return route{d.routes[peerID], d.twins[peerID]}
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
	for id, conn := range d.routes {
		now = append(now, route{conn, d.twins[id]})
	}
	return now
}

// all goes through the connections that carry traffic as they are now.
func (d *directory) all() iter.Seq[*PeerConnection] {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Values(slices.Collect(maps.Values(d.routes)))
}
