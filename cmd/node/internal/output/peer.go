package output

import (
	"cmp"
	"strings"
	"time"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor"
)

// Peer is the JSON of one entry of `node peers`: a known peer, or an address that is kept connected and at which no
// peer has answered yet. Then ID is empty.
type Peer struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`  // claimed by the peer: quote it before printing
	Alias      string          `json:"alias"` // set by the operator; empty: none
	PublicKey  string          `json:"publicKey"`
	Address    string          `json:"address"`
	Addresses  []string        `json:"addresses"` // kept connected, by settings or command; never nil
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

	RefusedUntil time.Time `json:"refusedUntil,omitzero"` // by `node disconnect --for`; absent: not refused

	State      State      `json:"state"`
	Member     string     `json:"member"`     // connected to the peer, or dials it; empty: none, or no cluster
	LastError  string     `json:"lastError"`  // of the last dial; empty: none failed since the peer was connected
	NextDialAt *time.Time `json:"nextDialAt"` // nil if no dial is scheduled
	Attempts   int        `json:"attempts"`   // failed dials in a row

	Session          string  `json:"session"`          // session/1 or smsg; empty if not connected
	Version          string  `json:"version"`          // of the peer's software, without its name; empty: not announced
	Agent            string  `json:"agent"`            // name and version of the peer's software
	Pinned           bool    `json:"pinned"`           // it has spoken session/1
	ClockSkewMs      float64 `json:"clockSkewMs"`      // the peer's clock is ahead by this; 0: not known
	MessagesReceived uint64  `json:"messagesReceived"` // on the open connections
	MessagesSent     uint64  `json:"messagesSent"`
	Dropped          uint64  `json:"dropped"` // received messages that were dropped, without duplicates

	Connection  uint64       `json:"connection,omitempty"` // number of the connection that carries the traffic
	Connections []Connection `json:"connections,omitempty"`
}

// State is the state of a peer.
type State string

// The states.
const (
	StateConnected  State = "connected"  // with a verified connection
	StateUnverified State = "unverified" // with an unverified connection only
	StateDialling   State = "dialling"   // a dial is in progress
	StateWaiting    State = "waiting"    // the next dial is scheduled
	StateAway       State = "away"       // not connected, and no dial is scheduled
)

// Connection is the JSON of one open connection of a peer.
type Connection struct {
	Connection       uint64 `json:"connection"` // number, unique within the process of the node
	Address          string `json:"address"`    // remote network address
	Direction        string `json:"direction"`
	Verified         bool   `json:"verified"`
	Session          string `json:"session"` // session/1 or smsg
	MessagesReceived uint64 `json:"messagesReceived"`
	MessagesSent     uint64 `json:"messagesSent"`
	Dropped          uint64 `json:"dropped"`
}

// NewPeer formats one peer. Its kept addresses are added by NewPeers.
func NewPeer(p supervisor.PeerInfo) Peer {
	peer := Peer{
		ID: p.ID, Name: p.Name, Alias: p.Alias, PublicKey: p.PublicKey, Address: p.Address, Role: p.Role,
		Connected: p.Connected, Verified: p.Verified, RTTMs: Milliseconds(p.RTT),
		LastSeen: p.LastSeen, AddedAt: p.AddedAt, Persistent: p.Persistent, Addresses: []string{}, State: stateOf(p),
		Queued: p.Queued, Allowed: p.Allowed, Revoked: p.Revoked, Pinned: p.Pinned, Agent: p.Agent, Version: Version(p.Agent),
		RefusedUntil: p.Suspended, Connection: p.Connection, Member: p.Member,
		ClockSkewMs:      Milliseconds(p.ClockAhead.Round(time.Millisecond)),
		MessagesReceived: p.Traffic.Received, MessagesSent: p.Traffic.Sent, Dropped: p.Traffic.Dropped,
	}
	if p.Connected {
		peer.Direction, peer.Session = p.Direction.String(), p.Format.String()
	}
	for _, c := range p.Connections {
		peer.Connections = append(peer.Connections, Connection{
			Connection: c.Connection, Address: c.Address, Direction: c.Direction.String(), Verified: c.Verified,
			Session: c.Format.String(), MessagesReceived: c.Traffic.Received, MessagesSent: c.Traffic.Sent,
			Dropped: c.Traffic.Dropped,
		})
	}
	return peer
}

// Version returns the version in an announced agent, which is a name and a version, or all of it if it is one word.
func Version(agent string) string {
	if _, version, named := strings.Cut(agent, " "); named {
		return version
	}
	return agent
}

func stateOf(p supervisor.PeerInfo) State {
	switch {
	case p.Connected && p.Verified:
		return StateConnected
	case p.Connected:
		return StateUnverified
	default:
		return StateAway
	}
}

// NewPeers formats a list of peers and the addresses that are kept connected: each is added to the entry of its peer,
// or gets an entry of its own behind the peers. It never returns nil, which would be null in JSON.
func NewPeers(peers []supervisor.PeerInfo, kept []supervisor.DialInfo) []Peer {
	list := make([]Peer, 0, len(peers)+len(kept))
	at := make(map[string]int, len(peers))
	for i, p := range peers {
		at[p.ID] = i
		list = append(list, NewPeer(p))
	}
	dialled := make(map[string]bool) // peers whose entry describes a dial
	for _, d := range kept {
		i, known := at[d.Peer]
		if !known {
			i = len(list)
			list = append(list, Peer{ID: d.Peer, Address: d.Address, Persistent: true, Addresses: []string{}, State: StateAway})
			if d.Peer != "" {
				at[d.Peer] = i
			}
		}
		p := &list[i]
		p.Addresses = append(p.Addresses, d.Address)
		if d.Connected || d.Peer != "" && dialled[d.Peer] && p.Address != d.Address {
			continue
		}
		dialled[d.Peer] = true
		p.addDial(d)
	}
	return list
}

// addDial adds the dial of an address. An entry with several addresses describes that of its own address, or else the
// first.
func (p *Peer) addDial(d supervisor.DialInfo) {
	p.Attempts, p.LastError, p.NextDialAt = d.Failures, "", nil
	if d.LastError != nil {
		p.LastError = ErrorText(d.LastError)
	}
	if !d.NextDial.IsZero() {
		next := d.NextDial.UTC()
		p.NextDialAt = &next
	}
	if !p.Connected {
		p.State = AddressState(d)
	}
}

// AddressState returns the state of an address that is kept connected: every state but StateUnverified.
func AddressState(d supervisor.DialInfo) State {
	switch {
	case d.Connected:
		return StateConnected
	case d.Dialling:
		return StateDialling
	case !d.NextDial.IsZero():
		return StateWaiting
	default:
		return StateAway
	}
}

// Claimed reports whether the only trace of the peer is an unverified connection. Such a connection is addressed by its
// number, because the peer's ID and name are claims.
func (p Peer) Claimed() bool { return p.Connected && !p.Verified && !p.Persistent }

// Label returns the alias, or else the name that the peer claims.
func (p Peer) Label() string { return cmp.Or(p.Alias, p.Name) }
