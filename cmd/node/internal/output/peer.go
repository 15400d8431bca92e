package output

import (
	"cmp"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// Peer is the JSON of one peer in `node peers`.
type Peer struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`  // claimed by the peer: quote it before printing
	Alias      string          `json:"alias"` // set by the operator; empty: none
	PublicKey  string          `json:"publicKey"`
	Address    string          `json:"address"`
	Role       crypto.NodeRole `json:"role"`
	Connected  bool            `json:"connected"`
	Verified   bool            `json:"verified"`
	Direction  string          `json:"direction"` // inbound or outbound; empty if not connected
	RTTMs      float64         `json:"rttMs"`     // milliseconds; 0: not measured
	LastSeen   time.Time       `json:"lastSeen"`
	AddedAt    time.Time       `json:"addedAt"`
	Persistent bool            `json:"persistent"`
	Queued     int             `json:"queued"` // messages
	Allowed    bool            `json:"allowed"`
	Revoked    bool            `json:"revoked"`
	Session    string          `json:"session"` // session/1 or smsg; empty if not connected
	Pinned     bool            `json:"pinned"`  // it has spoken session/1

	Connection  uint64       `json:"connection,omitempty"` // number of the connection that carries the traffic
	Connections []Connection `json:"connections,omitempty"`
}

// Connection is the JSON of one open connection of a peer.
type Connection struct {
	Connection uint64 `json:"connection"` // number, unique within the process of the node
	Address    string `json:"address"`    // remote network address
	Direction  string `json:"direction"`
	Verified   bool   `json:"verified"`
	Session    string `json:"session"` // session/1 or smsg
}

// NewPeer formats one peer.
func NewPeer(p supervisor.PeerInfo) Peer {
	peer := Peer{
		ID: p.ID, Name: p.Name, Alias: p.Alias, PublicKey: p.PublicKey, Address: p.Address, Role: p.Role,
		Connected: p.Connected, Verified: p.Verified, RTTMs: Milliseconds(p.RTT),
		LastSeen: p.LastSeen, AddedAt: p.AddedAt, Persistent: p.Persistent,
		Queued: p.Queued, Allowed: p.Allowed, Revoked: p.Revoked, Pinned: p.Pinned, Connection: p.Connection,
	}
	if p.Connected {
		peer.Direction, peer.Session = p.Direction.String(), p.Format.String()
	}
	for _, c := range p.Connections {
		peer.Connections = append(peer.Connections, Connection{
			Connection: c.Connection, Address: c.Address, Direction: c.Direction.String(), Verified: c.Verified,
			Session: c.Format.String(),
		})
	}
	return peer
}

// NewPeers formats a list of peers. It never returns nil, which would be null in JSON.
func NewPeers(peers []supervisor.PeerInfo) []Peer {
	list := make([]Peer, 0, len(peers))
	for _, p := range peers {
		list = append(list, NewPeer(p))
	}
	return list
}

// State returns connected, unverified or away.
func (p *Peer) State() string {
	switch {
	case p.Connected && p.Verified:
		return "connected"
	case p.Connected:
		return "unverified"
	default:
		return "away"
	}
}

// Claimed reports whether the only trace of the peer is an unverified connection. Such a connection is addressed by its
// number, because the peer's ID and name are claims.
func (p *Peer) Claimed() bool { return p.Connected && !p.Verified && !p.Persistent }

// Label returns the alias, or else the name that the peer claims.
func (p *Peer) Label() string { return cmp.Or(p.Alias, p.Name) }
