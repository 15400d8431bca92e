package supervisor

import (
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// Direction says who opened a connection.
type Direction = actors.Direction

// The directions.
const (
	Inbound  = actors.Inbound
	Outbound = actors.Outbound
)

// Strength is how well a connection has proven that its peer holds its key.
type Strength = actors.Strength

// The strengths, weakest first.
const (
	Claimed  = actors.Claimed
	Unmarked = actors.Unmarked
	Bound    = actors.Bound
)

// Event is something that happened to a peer or to the node: PeerUp, PeerVerified, PeerMoved, PeerDown, Dropped,
// DialFailed, DowngradeRefused, IdentityConflict, ListenerDown, and for subscribers by message also Received.
type Event interface{ event() }

// PeerUp says that a peer is connected: its first connection opened, and a Send to it finds it.
type PeerUp struct {
	Peer      string // node ID
	Name      string // as the peer gives it: quote it before you print it
	Address   string // remote network address
	Direction Direction
	Verified  bool // the peer has proven that it holds its key

	Connection uint64 // number of the connection
	Omitted    int    // unverified peers that were not reported since the last PeerUp: strangers could multiply events
}

// PeerVerified says that an inbound peer has now proven that it holds its key.
type PeerVerified struct {
	Peer string // node ID
	Name string // as the peer gives it: quote it before you print it
}

// PeerMoved says that another connection of a peer carries its traffic now. Messages that were sent before and are not
// confirmed may be lost.
type PeerMoved struct {
	Peer string // node ID
	Name string // as the peer gives it: quote it before you print it
	From uint64 // number of the connection that carried the traffic
	To   uint64 // number of the one that carries it now
}

// DowngradeRefused says that a connection was closed because a frame on it was sealed for another connection: a relay
// copies frames, or has changed a handshake message.
type DowngradeRefused struct {
	Peer       string // node ID, as the other side claims it
	Address    string // remote network address
	Connection uint64 // number of the connection
	Omitted    int    // such events that were left out since the last one: at most one per second is told
}

// IdentityConflict says that a peer's identity is in use on two hosts: three newcomers from another address were
// closed as duplicates within 30 s while the incumbent connection answered its probe. It is repeated at most every
// minute.
type IdentityConflict struct {
	Peer      string   // node ID
	Addresses []string // hosts of the incumbent and the newcomers, sorted, without ports
	Unproven  bool     // some of them do not bind their frames; those newcomers stay connected
}

// PeerDown says that a peer's last connection is gone.
type PeerDown struct {
	Peer   string // node ID
	Name   string // as the peer gives it: quote it before you print it
	Code   wire.DisconnectCode
	Reason string
	Remote bool // the peer began it
}

// DialFailed says that a peer that is to be kept connected could not be reached.
type DialFailed struct {
	Address string
	Err     error
	RetryIn time.Duration
}

// Dropped says that messages of a verified peer were dropped. There is at most one per second for each peer and reason,
// however many connections the peer has and however often it reconnects, so the last one may follow PeerDown by a
// second. Not reported are duplicates, which are normal, and drops of unverified connections.
type Dropped struct {
	Peer   string // node ID
	Name   string // as the peer gives it: quote it before you print it
	Reason string // the name of the counter that counts them
	Count  int    // since the last event of that peer and reason; 1 or more
}

// ListenerDown says that the listener has ended for good, and not by Stop: no peer can connect any more, Accepting is
// false. Connections stay, and dials go on. Accept calls that fail for a reason that passes are retried instead; the
// counter acceptErrors counts them.
type ListenerDown struct {
	Address string // that was listened on
	Err     error
}

// Received is a message, for subscribers.
type Received struct {
	Connection *PeerConnection
	Message    *wire.Message
}

func (PeerUp) event()           {}
func (PeerVerified) event()     {}
func (PeerDown) event()         {}
func (PeerMoved) event()        {}
func (DowngradeRefused) event() {}
func (IdentityConflict) event() {}
func (Dropped) event()          {}
func (DialFailed) event()       {}
func (ListenerDown) event()     {}
func (Received) event()         {}
