package admin

import (
	"cmp"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
	"github.com/Snider/go-p2p/cmd/node/internal/printable"
)

// peerFacts are the fields of a peer that change rarely. Texts from the peer are escaped and cut.
type peerFacts struct {
	ID          string            `json:"id"` // empty: no peer has answered at this address yet
	Name        string            `json:"name"`
	Alias       string            `json:"alias"`
	Address     string            `json:"address"`
	Addresses   []string          `json:"addresses"` // kept connected; at most maxAddresses
	Role        string            `json:"role"`
	Agent       string            `json:"agent"` // software and version; empty: not announced
	State       output.State      `json:"state"`
	Direction   string            `json:"direction"` // empty if not connected
	Connected   bool              `json:"connected"`
	Verified    bool              `json:"verified"`
	Persistent  bool              `json:"persistent"`
	Allowed     bool              `json:"allowed"`
	Revoked     bool              `json:"revoked"`
	Session     string            `json:"session"` // session/1 or smsg; empty if not connected
	Pinned      bool              `json:"pinned"`
	Attempts    int               `json:"attempts"` // failed dials in a row
	LastError   string            `json:"lastError"`
	NextDial    int64             `json:"nextDial"` // 0: no dial is scheduled
	Connections []connectionFacts `json:"connections"`
	Member      string            `json:"member,omitempty"` // connected to it, or dials it; absent: none
}

// connectionFacts describe one open connection of a peer.
type connectionFacts struct {
	Number    uint64 `json:"number"`
	Address   string `json:"address"`
	Direction string `json:"direction"`
	Verified  bool   `json:"verified"`
	Session   string `json:"session"`
}

// Bounds of one peer's facts.
const (
	maxAddresses   = 8
	maxConnections = 8
)

// peerNumbers are the fields of a peer that change often, with the columns below.
type peerNumbers [numPeerColumns]float64

// The columns of peerNumbers, in the order that the page expects.
const (
	peerRTT         = iota // milliseconds; 0: not measured
	peerQueued             // messages
	peerQueuedBytes        // bytes
	peerSeen               // Unix milliseconds; 0 or less: never
	peerReceived           // messages on the open connections
	peerSent               // messages on the open connections
	peerDropped            // received messages that were dropped
	peerSkew               // milliseconds by which the peer's clock is ahead; 0: not known

	numPeerColumns
)

// connectionCounts are the messages received, sent and dropped on one connection.
type connectionCounts [3]uint64

func factsOf(p *output.Peer) peerFacts {
	f := peerFacts{
		ID: p.ID, Name: name(p.Name), Alias: name(p.Alias), Address: name(p.Address), Addresses: []string{},
		Role: name(string(p.Role)), Agent: name(p.Agent), State: p.State, Direction: p.Direction,
		Connected: p.Connected, Verified: p.Verified, Persistent: p.Persistent,
		Allowed: p.Allowed, Revoked: p.Revoked, Session: p.Session, Pinned: p.Pinned,
		Attempts: p.Attempts, LastError: printable.Cut(printable.Line(p.LastError), maxText),
		Connections: []connectionFacts{}, Member: name(p.Member),
	}
	if p.NextDialAt != nil {
		f.NextDial = milliseconds(*p.NextDialAt)
	}
	for _, address := range p.Addresses[:min(len(p.Addresses), maxAddresses)] {
		f.Addresses = append(f.Addresses, name(address))
	}
	for _, c := range p.Connections[:min(len(p.Connections), maxConnections)] {
		f.Connections = append(f.Connections, connectionFacts{
			Number: c.Connection, Address: name(c.Address), Direction: c.Direction, Verified: c.Verified, Session: c.Session,
		})
	}
	return f
}

func numbersOf(p *output.Peer, queuedBytes int) peerNumbers {
	return peerNumbers{
		peerRTT: p.RTTMs, peerQueued: float64(p.Queued), peerQueuedBytes: float64(queuedBytes),
		peerSeen: float64(milliseconds(p.LastSeen)), peerReceived: float64(p.MessagesReceived),
		peerSent: float64(p.MessagesSent), peerDropped: float64(p.Dropped), peerSkew: p.ClockSkewMs,
	}
}

// countsOf returns the counts of each connection, or nil if they are those of the peer: for a single verified one.
func countsOf(p *output.Peer) []connectionCounts {
	if len(p.Connections) == 0 || len(p.Connections) == 1 && p.Verified {
		return nil
	}
	var counts []connectionCounts
	for _, c := range p.Connections[:min(len(p.Connections), maxConnections)] {
		counts = append(counts, connectionCounts{c.MessagesReceived, c.MessagesSent, c.Dropped})
	}
	return counts
}

// milliseconds returns a time in Unix milliseconds, 0 for the zero time.
func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// comparePeers orders peers by their claim to a place in the view: verified connections, then kept addresses and
// persistent peers, then unverified connections, then the rest by the time last seen. An attacker with many identities
// therefore cannot displace the operator's peers.
func comparePeers(a, b *output.Peer) int {
	rank := func(p *output.Peer) int {
		switch {
		case p.Connected && p.Verified:
			return 0
		case p.Persistent:
			return 1
		case p.Connected:
			return 2
		default:
			return 3
		}
	}
	if order := cmp.Compare(rank(a), rank(b)); order != 0 || rank(a) < 3 {
		return cmp.Or(order, cmp.Compare(a.ID, b.ID), cmp.Compare(a.Address, b.Address))
	}
	return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.ID, b.ID))
}
