package supervisor

import (
	"context"
	"runtime/metrics"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Status is the state of a node, as Transport.Status returns it. A *Status sent to Transport.PID asks for it; the
// answer is StatusReport.
type Status struct {
	Identity    crypto.NodeIdentity
	Address     string        // bound host:port; empty if the node does not listen
	Uptime      time.Duration // since NewTransport
	Auth        AuthMode
	Session     SessionMode
	Connections ConnectionCounts
	Counters    map[string]uint64 // by name
	Goroutines  int               // of the process
	HeapBytes   uint64            // of the process
}

// ConnectionCounts counts the connections of a node and states their limit.
type ConnectionCounts struct {
	Established int
	Pending     int // handshakes and dials in progress
	Max         int // TransportConfig.MaxConns
}

// PeerInfo describes one peer, as Transport.Peers returns it. Name and Address are the peer's own claims: quote them
// before printing.
type PeerInfo struct {
	ID         string // node ID
	Name       string
	Alias      string // set by the operator; empty: none
	PublicKey  string // base64
	Address    string // dialled first; of an unverified connection, the remote address
	Role       crypto.NodeRole
	Connected  bool
	Verified   bool
	Direction  Direction     // meaningful only if Connected
	RTT        time.Duration // last measured round trip; 0: not measured
	LastSeen   time.Time
	AddedAt    time.Time
	Persistent bool   // kept connected
	Queued     int    // messages
	QueuedSize int    // bytes
	Agent      string // software and version, announced on a bound connection or in a session; empty: not known
	Allowed    bool   // on the allowlist
	Revoked    bool
	ClockAhead time.Duration // of the peer's clock, by its last message; 0: not known
	Traffic    Traffic       // of all open verified connections
	Suspended  time.Time     // the peer is refused until then (DisconnectUntil); zero: not refused
	Member     string        // the member of the cluster that is connected to it (WithCluster); empty: none
	Pinned     bool          // it has spoken session/1: an SMSG connection that this node dials is held

	// Connection is the number of the route, which the other fields describe; 0 if the peer is not connected.
	Connection uint64
	Format     Format // meaningful only if Connected
	// Connections are all open connections that claim the peer's identity, the route first. Several are verified only
	// while duplicates are closed, or towards deployed nodes. Transport.Connected leaves them empty.
	Connections []ConnectionInfo
}

// Traffic counts the messages of one connection, or of all open ones of a peer.
type Traffic = actors.Traffic

// ConnectionInfo describes one open connection of a peer.
type ConnectionInfo struct {
	Connection uint64 // number, unique within the transport
	Address    string // remote network address
	Direction  Direction
	Verified   bool
	Format     Format
	Traffic    Traffic
}

// Status returns the node's state. The error is ErrStopped or ctx's.
func (t *Transport) Status(ctx context.Context) (Status, error) {
	counted, err := ask[*counts](ctx, t, &getCounts{})
	if err != nil {
		return Status{}, err
	}
	s := Status{
		Identity: t.Identity(),
		Uptime:   time.Since(t.born),
		Auth:     t.book.AuthMode(),
		Session:  t.live.Load().Session,
		Connections: ConnectionCounts{
			Established: counted.established, Pending: counted.pending, Max: t.live.Load().MaxConns,
		},
		Counters: t.node.Counters.Snapshot(),
	}
	if addr := t.Addr(); addr != nil {
		s.Address = addr.String()
	}
	samples := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(samples)
	s.Goroutines, s.HeapBytes = int(samples[0].Value.Uint64()), samples[1].Value.Uint64()
	return s, nil
}

// Accepting reports whether peers can connect: the transport runs and listens. It becomes false when Stop or Drain is
// called or the registry has stopped. It stays true if all slots are taken.
func (t *Transport) Accepting() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase != transportRunning || t.listener == nil || t.draining.Load() {
		return false
	}
	select {
	case <-t.listener.served:
		return false // the listener has failed
	case <-t.ended:
		return false // the registry has stopped
	default:
		return true
	}
}

// Counters returns every counter by its name. It works before Start and after Stop, and does not ask the registry.
func (t *Transport) Counters() map[string]uint64 { return t.node.Counters.Snapshot() }

// Connected returns the connected peers, as Peers does, in any order. It does not ask the registry: Persistent comes
// from the peer book.
func (t *Transport) Connected() []PeerInfo {
	var list []PeerInfo
	for c := range t.Connections() {
		list = append(list, t.describe(c))
	}
	return list
}

// describe returns the entry of a connected peer. An unverified connection contributes only its address, direction and
// number: a claim changes no name in the book.
func (t *Transport) describe(c *PeerConnection) PeerInfo {
	p, known := t.book.Get(c.peer.ID)
	if !known {
		p = c.peer
	}
	info := t.inform(p)
	info.Connected, info.Verified, info.Direction, info.Connection = true, c.Verified(), c.direction, c.number
	if info.Address == "" || !info.Verified {
		info.Address = c.peerAddress // the address of the claim, not of the peer
	}
	info.RTT, info.Format, info.ClockAhead, info.Traffic = c.RoundTrip(), c.Format(), c.ClockAhead(), c.Traffic()
	if c.Strength() >= Bound {
		info.Agent = c.Agent()
	}
	info.Queued, info.QueuedSize = c.Queued()
	if at := c.LastActivity(); at.After(info.LastSeen) {
		info.LastSeen = at.UTC()
	}
	return info
}

// KnownPeers returns the number of peers in the peer book.
func (t *Transport) KnownPeers() int { return t.book.Len() }

func (t *Transport) inform(p Peer) PeerInfo {
	info := PeerInfo{
		ID: p.ID, Name: p.Name, Alias: t.book.Alias(p.ID), PublicKey: p.PublicKey, Address: p.Address, Role: p.Role,
		LastSeen: p.LastSeen, AddedAt: p.AddedAt, Persistent: p.Persistent, Pinned: p.Session,
		Suspended: t.book.SuspendedUntil(p.ID, t.node.Clock()), Member: t.Home(p.ID),
	}
	if !p.Features.IsZero() {
		info.Agent = wire.Agent(p.Features.All())
	}
	if key, err := crypto.ParsePublicKey(p.PublicKey); err == nil {
		info.Allowed, info.Revoked = t.book.Allowed(key), t.book.Revoked(key)
	}
	return info
}

// countConnections answers getCounts.
func (r *registry) countConnections(msg *getCounts) *counts {
	counted := &counts{established: r.established, pending: len(r.slots) - r.established}
	if !msg.kept {
		return counted
	}
	counted.kept = make(map[string]bool)
	for _, t := range r.targets {
		if t.keep && t.peer != "" {
			counted.kept[t.peer] = true
		}
	}
	return counted
}
