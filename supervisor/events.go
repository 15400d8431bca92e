package supervisor

import (
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Direction tells which node opened a connection.
type Direction = actors.Direction

// The directions.
const (
	Inbound  = actors.Inbound
	Outbound = actors.Outbound
)

// Strength tells how well a connection proves that its peer holds its key.
type Strength = actors.Strength

// Format is the frame format of a connection: session/1 or SMSG.
type Format = actors.Format

// The strengths, weakest first.
const (
	Claimed  = actors.Claimed
	Unmarked = actors.Unmarked
	Bound    = actors.Bound
	Session  = actors.Session
)

// Event is a change of a peer or of the node: PeerUp, PeerVerified, PeerMoved, PeerDown, Dropped, DialFailed,
// DowngradeRefused, PeerRefused, IdentityConflict, ListenerDown, and for subscribed actors also Received.
type Event interface{ event() }

// PeerUp reports the first open connection of a peer. A handler that sends to a verified peer finds the route.
type PeerUp struct {
	Peer      string // node ID
	Name      string // chosen by the peer: quote it before printing
	Address   string // remote network address
	Direction Direction
	Verified  bool // the peer has proved that it holds its key

	Connection uint64 // number of the connection
	Format     Format // of its frames
	Agent      string // software and version that the peer announces on this connection; empty: not announced
	Omitted    int    // unverified peers not reported since the last PeerUp: a burst is limited to one event per second
	Member     string // this member of the cluster (WithCluster); empty: no cluster
}

// PeerVerified reports that a peer has proved that it holds its key, after a PeerUp with Verified false.
type PeerVerified struct {
	Peer string // node ID
	Name string // chosen by the peer: quote it before printing
}

// PeerMoved reports that another connection became the route to a peer. Earlier messages that are not confirmed may be
// lost.
type PeerMoved struct {
	Peer string // node ID
	Name string // chosen by the peer: quote it before printing
	From uint64 // number of the previous route
	To   uint64 // number of the new route
}

// DowngradeRefused reports that this node closed a connection because a frame on it was sealed for another connection:
// a relay copies frames, or has changed a handshake message. At most one per second is reported.
type DowngradeRefused struct {
	Peer       string // node ID that the other side claims
	Address    string // remote network address
	Connection uint64 // number of the connection
	Omitted    int    // events left out since the last one
}

// PeerRefused reports that this node refused a peer that had sent its identity: the allowlist, a revocation or a limit
// decided so. It is sampled: at most one per second for each reason. If the peer dialled this node, it has not proved
// that it holds the key: identity, key and name are claims.
type PeerRefused struct {
	Peer      string           // node ID of the key
	Key       crypto.PublicKey // public key
	Name      string           // chosen by the peer: quote it before printing
	Address   string           // remote network address
	Direction Direction
	Reason    string // as sent to the peer
	Omitted   int    // refusals for this reason left out since the last event
}

// IdentityConflict reports that a peer's identity is in use on two hosts: three connections from another address were
// closed as duplicates within 30 s while the incumbent answered its probe. It is repeated at most once a minute.
type IdentityConflict struct {
	Peer      string   // node ID
	Addresses []string // hosts of the incumbent and the duplicates, sorted, without ports
	Unproven  bool     // some of the duplicates do not bind their frames; these stay connected
}

// PeerDown reports the end of a peer's last connection.
type PeerDown struct {
	Peer   string // node ID
	Name   string // chosen by the peer: quote it before printing
	Code   wire.DisconnectCode
	Reason string
	Remote bool // the peer started the close

	Member  string // this member of the cluster (WithCluster); empty: no cluster
	MovedTo string // the member that is connected to the peer now; empty: none is known
}

// DialFailed reports a failed dial to a peer that is kept connected.
type DialFailed struct {
	Address string
	Err     error
	RetryIn time.Duration
}

// Dropped reports dropped messages of a verified peer. There is at most one event per second for each peer and reason,
// regardless of the number of connections and reconnects, so the last one may follow PeerDown by a second. Duplicates
// and drops of unverified connections are not reported.
type Dropped struct {
	Peer   string // node ID
	Name   string // chosen by the peer: quote it before printing
	Reason string // name of the counter
	Count  int    // since the last event of this peer and reason; at least 1
}

// ListenerDown reports that the listener has failed permanently, without Stop. No peer can connect any more, and
// Accepting returns false. Connections stay, and dials continue. Temporary errors of accept calls are retried and
// counted in acceptErrors instead.
type ListenerDown struct {
	Address string // address of the listener
	Err     error
}

// Received passes a message to subscribed actors.
type Received struct {
	Connection *PeerConnection
	Message    *wire.Message
}

func (PeerUp) event()           {}
func (PeerVerified) event()     {}
func (PeerDown) event()         {}
func (PeerMoved) event()        {}
func (DowngradeRefused) event() {}
func (PeerRefused) event()      {}
func (IdentityConflict) event() {}
func (Dropped) event()          {}
func (DialFailed) event()       {}
func (ListenerDown) event()     {}
func (Received) event()         {}
