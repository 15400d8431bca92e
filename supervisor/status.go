package supervisor

import (
	"cmp"
	"context"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/Snider/go-p2p/crypto"
)

// Status is what `node status` shows.
type Status struct {
	Identity    crypto.NodeIdentity `json:"identity"`
	Address     string              `json:"address"` // bound host:port; empty when the node accepts nobody
	Uptime      float64             `json:"uptime"`  // seconds
	Auth        string              `json:"auth"`
	Connections ConnectionCounts    `json:"connections"`
	Counters    map[string]uint64   `json:"counters"`
	Goroutines  int                 `json:"goroutines"` // of the process
	HeapBytes   uint64              `json:"heapBytes"`  // of the process
}

// ConnectionCounts are the places of a node.
type ConnectionCounts struct {
	Established int `json:"established"`
	Pending     int `json:"pending"` // in handshake, or on the way out
	Max         int `json:"max"`
}

// PeerInfo is what `node peers` shows of one peer.
type PeerInfo struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	PublicKey  string          `json:"publicKey"`
	Address    string          `json:"address"`
	Role       crypto.NodeRole `json:"role"`
	Connected  bool            `json:"connected"`
	Verified   bool            `json:"verified"`
	Direction  string          `json:"direction"` // empty when not connected
	RTTMs      float64         `json:"rttMs"`     // milliseconds; 0: not measured
	LastSeen   time.Time       `json:"lastSeen"`
	AddedAt    time.Time       `json:"addedAt"`
	Persistent bool            `json:"persistent"`
	Queued     int             `json:"queued"` // messages
	QueuedSize int             `json:"-"`      // bytes
	Allowed    bool            `json:"allowed"`

	// Connection is the number of the connection that the other fields describe, the one that carries the traffic; 0 if
	// the peer is not connected.
	Connection uint64 `json:"connection,omitempty"`
	// Connections are all open connections on which the peer's identity is claimed, that one first. Several are verified
	// only while duplicates are closed, or towards deployed nodes. Connected leaves them out.
	Connections []ConnectionInfo `json:"connections,omitempty"`
}

// ConnectionInfo is one open connection of a peer.
type ConnectionInfo struct {
	Connection uint64 `json:"connection"` // number, unique within the transport
	Address    string `json:"address"`    // remote network address
	Direction  string `json:"direction"`
	Verified   bool   `json:"verified"`
}

// Status returns the node's state. The error is ErrStopped or ctx's.
func (t *Transport) Status(ctx context.Context) (Status, error) {
	counted, err := ask[*counts](ctx, t, &getCounts{})
	if err != nil {
		return Status{}, err
	}
	s := Status{
		Identity:    t.Identity(),
		Uptime:      time.Since(t.born).Seconds(),
		Auth:        t.book.AuthMode().String(),
		Connections: ConnectionCounts{Established: counted.established, Pending: counted.pending, Max: t.live.Load().MaxConns},
		Counters:    t.node.Counters.Snapshot(),
	}
	if addr := t.Addr(); addr != nil {
		s.Address = addr.String()
	}
	samples := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(samples)
	s.Goroutines, s.HeapBytes = int(samples[0].Value.Uint64()), samples[1].Value.Uint64()
	return s, nil
}

// Accepting reports whether peers can connect: the transport runs and listens. It is false from the moment Stop is
// called or the registry has stopped, and for a node that accepts nobody; a node without a free place is still true.
func (t *Transport) Accepting() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != transportRunning || t.listener == nil {
		return false
	}
	select {
	case <-t.listener.served:
		return false // it failed
	case <-t.ended:
		return false // the registry has stopped
	default:
		return true
	}
}

// Counters returns every counter by its name. Unlike Status it asks nobody, and works before Start and after Stop.
func (t *Transport) Counters() map[string]uint64 { return t.node.Counters.Snapshot() }

// Peers returns every peer that is known or connected, by ID. The error is ErrStopped or ctx's.
func (t *Transport) Peers(ctx context.Context) ([]PeerInfo, error) {
	counted, err := ask[*counts](ctx, t, &getCounts{})
	if err != nil {
		return nil, err
	}
	all := make(map[string]PeerInfo)
	for _, p := range t.book.List() {
		all[p.ID] = t.inform(p)
	}
	for id, open := range counted.open {
		all[id] = t.describe(open[0])
	}
	for c := range t.Connections() {
		all[c.peer.ID] = t.describe(c)
		if counted.open[c.peer.ID] == nil {
			counted.open[c.peer.ID] = []*PeerConnection{c}
		}
	}
	list := make([]PeerInfo, 0, len(all))
	for id, info := range all {
		info.Persistent = info.Persistent || counted.kept[id]
		for _, c := range counted.open[id] {
			info.Connections = append(info.Connections, ConnectionInfo{
				Connection: c.number, Address: c.peerAddress, Direction: c.direction.String(), Verified: c.Verified(),
			})
		}
		list = append(list, info)
	}
	slices.SortFunc(list, func(a, b PeerInfo) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// Connected returns the peers that are connected, as Peers does, in any order. It asks nobody: Persistent is what the
// peer book says.
func (t *Transport) Connected() []PeerInfo {
	var list []PeerInfo
	for c := range t.Connections() {
		list = append(list, t.describe(c))
	}
	return list
}

// describe returns what is known of the peer at the other end of a connection. Of an unverified connection only its
// address, direction and number count: a claim renames no peer of the book.
func (t *Transport) describe(c *PeerConnection) PeerInfo {
	p, known := t.book.Get(c.peer.ID)
	if !known {
		p = c.peer
	}
	info := t.inform(p)
	info.Connected, info.Verified, info.Direction, info.Connection = true, c.Verified(), c.direction.String(), c.number
	if info.Address == "" || !info.Verified {
		info.Address = c.peerAddress // where a claim comes from, not where the peer is
	}
	info.RTTMs = float64(c.RoundTrip()) / float64(time.Millisecond)
	info.Queued, info.QueuedSize = c.Queued()
	if at := c.LastActivity(); at.After(info.LastSeen) {
		info.LastSeen = at.UTC()
	}
	return info
}

// KnownPeers returns how many peers the peer book holds.
func (t *Transport) KnownPeers() int { return t.book.Len() }

func (t *Transport) inform(p Peer) PeerInfo {
	info := PeerInfo{
		ID: p.ID, Name: p.Name, PublicKey: p.PublicKey, Address: p.Address, Role: p.Role,
		LastSeen: p.LastSeen, AddedAt: p.AddedAt, Persistent: p.Persistent,
	}
	if key, err := crypto.ParsePublicKey(p.PublicKey); err == nil {
		info.Allowed = t.book.Allowed(key)
	}
	return info
}

// countConnections answers census.
func (r *registry) countConnections() *counts {
	counted := &counts{kept: make(map[string]bool), open: make(map[string][]*PeerConnection)}
	for id, list := range r.peers {
		counted.established += len(list)
		if len(list) == 1 && list[0].rank.strength.Verified() {
			continue // the route table has it
		}
		for _, s := range list {
			counted.open[id] = append(counted.open[id], s.conn)
		}
	}
	counted.pending = len(r.slots) - counted.established
	for _, t := range r.targets {
		if t.keep && t.peer != "" {
			counted.kept[t.peer] = true
		}
	}
	return counted
}
