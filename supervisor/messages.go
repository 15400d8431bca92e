package supervisor

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/supervisor/dedup"
	"github.com/Snider/go-p2p/supervisor/peerbook"
	"github.com/Snider/go-p2p/wire"
)

// The messages of the registry, by sender. A program that uses actors sends those of the first group to Transport.PID.
// The registry answers each message that has a sender: a nil pointer or a message passed by value with an error in the
// answer of its kind, a message of an unknown type with Failed. Each answer names the message that it belongs to: by
// the ID of a wire.Message, an address, a peer, a key or a PID. After Stop, the answer is ErrStopped for as long as the
// program holds the Transport. In the instant of the registry's end it can be an *actor.DeadLetterResponse.

// fromPrograms marks the messages that any actor may send.
type fromPrograms interface{ fromPrograms() }

// Send asks for one message to one peer. The answer is Sent, once the message is queued.
type Send struct {
	Peer    string        // node ID
	Message *wire.Message // not changed by the sender before the answer
}

// Sent answers Send. Err is nil, ErrNotConnected, ErrInvalidMessage, ErrTooLarge, ErrQueueFull or ErrClosed inside a
// PeerError.
type Sent struct {
	ID  string // of the message
	Err error
}

// Broadcast asks for one message to every connected peer except the one named in its From. The answer is Broadcasted.
type Broadcast struct {
	Message *wire.Message   // not changed by the sender before the answer
	Role    crypto.NodeRole // only peers of this role; empty: all

	here func(MemberBroadcast) // nil: peers of all members of the cluster; otherwise of this one, with the result
}

// Broadcasted answers Broadcast.
type Broadcasted struct {
	ID     string        // of the message
	Sent   int           // peers whose queue accepted the message
	Failed []SendFailure // the other peers
	Err    error         // ErrInvalidMessage: it was sent to no peer

	moving []string // of Sent: the peers that this member of a cluster has gained lately
}

// Subscribe asks for the connected peers and every Event from now on, as messages to PID, until PID stops or
// Unsubscribe. Events of one connection come in order. Every 64 messages a connection waits until the subscriber has
// processed them, so a slow subscriber slows down the connections and its mailbox stays bounded. A subscriber that
// processes no message for a minute while connections wait is unsubscribed, logged and counted in subscribersStuck. A
// subscriber that is slow but processes messages stays. Its Receive also gets messages of an unexported type, which
// measure this: it must ignore unknown types. Another Subscribe for the same PID replaces the first. The answer is
// Subscribed.
type Subscribe struct {
	PID *actor.PID
	All bool // also Received for ping, pong and disconnect, which the transport handles
}

// Subscribed answers Subscribe, before the first event. The events that follow continue from Connected: no PeerUp for
// one of these peers before its PeerDown, no PeerDown for another peer before its PeerUp. Events that the subscriber
// got before the answer, after an earlier Subscribe, are included. So an actor replaces its set of peers by Connected,
// also after it was restarted, and applies the events from then on.
type Subscribed struct {
	PID       *actor.PID // of Subscribe
	Connected []PeerUp   // by node ID, as later events have changed them: Verified, and the route's connection
	Err       error      // PID is nil, or ErrStopped
}

// Unsubscribe ends a subscription. The answer is Unsubscribed.
type Unsubscribe struct{ PID *actor.PID }

// Unsubscribed answers Unsubscribe.
type Unsubscribed struct {
	PID *actor.PID // of Unsubscribe
	Err error      // PID is nil, or ErrStopped
}

// Failed answers a message of an unknown type.
type Failed struct {
	Message any // the message
	Err     error
}

// Connect asks for a connection to an address. The answer is Connected, when the connection is open or has failed.
type Connect struct {
	Address string // in a form that ParseAddress accepts
	ID      string // the only node ID that may answer; empty: any
	Keep    bool   // keep the peer connected from now on, and store it in the peer book once it has answered

	call *call // set by the transport's methods; nil: the call cannot be withdrawn
}

// Connected answers Connect.
type Connected struct {
	Address    string          // of Connect
	Connection *PeerConnection // nil if Err is not nil
	Err        error
}

// Disconnect asks for the graceful end of a peer's connections and stops redialling it. The answer is Disconnected, at
// once.
type Disconnect struct {
	Peer   string // node ID
	Forget bool   // also remove the peer from the peer book
	Code   wire.DisconnectCode
	Reason string

	suspended bool // the peer is refused for a time and stays kept connected
}

// Disconnected answers Disconnect. Err is ErrNotConnected if the peer was neither connected nor known.
type Disconnected struct {
	Peer string // of Disconnect
	Err  error
}

// DisconnectConnection asks for the graceful end of one connection, whether its peer is verified or not. The peer's
// other connections stay, and a peer that is kept connected is dialled again. The answer is ConnectionEnding, at once.
type DisconnectConnection struct {
	Connection uint64 // number, as PeerConnection.Number returns it
	Code       wire.DisconnectCode
	Reason     string
}

// ConnectionEnding answers DisconnectConnection.
type ConnectionEnding struct {
	Number     uint64          // of DisconnectConnection
	Connection *PeerConnection // nil if Err is not nil
	Err        error           // ErrNotConnected: no connection has this number
}

func (*Send) fromPrograms()        {}
func (*Broadcast) fromPrograms()   {}
func (*Subscribe) fromPrograms()   {}
func (*Unsubscribe) fromPrograms() {}
func (*Connect) fromPrograms()     {}
func (*Disconnect) fromPrograms()  {}

func (*DisconnectConnection) fromPrograms() {}

// fromTransport marks the messages of the transport's own goroutines and timers.
type fromTransport interface{ fromTransport() }

type (
	// admission asks for a slot for an inbound connection. The answer is a *actors.Slot, or nil if the connection is
	// refused.
	admission struct {
		remote string
		since  time.Time // start of the TCP connection
	}
	// redial is the timer of a dial target.
	redial struct {
		target     *dialTarget
		generation int
	}
	// routeDue is the timer of a peer with more than one connection: a probe is due, or duplicates are closed.
	routeDue struct{ peer string }
	// authChanged asks to check all connections again after a change of allowlist, revocations or auth mode.
	// The answer is authApplied.
	authChanged struct {
		mode bool // of the auth mode: the next answer counts the peers that it disconnects
	}
	authApplied struct{ disconnected int } // connected peers whose connections are being closed
	// getCounts asks for counts.
	getCounts struct{ kept bool } // also the peers that are kept connected
	// expire is the timer of expired entries.
	expire struct{}
	// shutdown closes all connections gracefully and stops the registry when their actors have terminated.
	shutdown struct {
		code   wire.DisconnectCode
		reason string
	}
	// stopNow stops all connections: the shutdown timeout is over.
	stopNow struct{}
	// listenerEnded reports that the listener has failed, without Stop.
	listenerEnded struct {
		address string
		err     error
	}
	// dialPeers starts the dials of the configuration and the peer book.
	dialPeers struct{}
)

// counts answers getCounts.
type counts struct {
	established, pending int
	kept                 map[string]bool // node IDs of peers that are kept connected
}

func (*admission) fromTransport()   {}
func (*redial) fromTransport()      {}
func (*routeDue) fromTransport()    {}
func (*authChanged) fromTransport() {}
func (*getCounts) fromTransport()   {}
func (*expire) fromTransport()      {}
func (*shutdown) fromTransport()    {}
func (*stopNow) fromTransport()     {}
func (*dialPeers) fromTransport()   {}

func (*listenerEnded) fromTransport() {}

// slot is the registry's entry of one child, from admission or dial until its actor has terminated. Its actor side is
// actors.Slot, which the accepting or dialling goroutine fills with a socket.
type slot struct {
	actor     *actors.Slot
	pid       *actor.PID
	direction Direction
	group     string      // address group, for the limit per address; empty: not counted
	target    *dialTarget // nil: inbound, or a further connection
	challenge *challenge  // of our handshake; nil: inbound
	born      time.Time

	// Set when the peer is identified.
	key           crypto.PublicKey
	features      peerbook.TextList
	conn          *PeerConnection
	dedup         *dedup.Account
	rank          rank
	bucket        bucketKey        // key of the inbound token bucket in use
	limits        *TransportConfig // rate in force at the time of assignBucket
	further       string           // node ID of a deployed peer with a living connection; contends only if bound
	listed        bool
	peerDecides   time.Time // until then the peer decides between this connection and the route; zero: it does not
	downgradeSeen bool      // the report Foreign was processed
	conflictNoted bool      // recorded as a duplicate from another host
	closed        bool      // the connection has reported its end
	session       bool      // its frames are records of a session
	preloaded     bool      // the peer book has read the peer's entry from disk, if it must
	held          bool      // dialled to a pinned peer without a session: unverified until its first frame
	reached       bool      // it is or was the open connection of its dial target
	leaving       bool      // Drain has closed it
	settled       bool      // it has been verified, and the claim for its peer was decided

	unanswered *actors.RoutePublished // answers the last Verified; nil: it is answered

	cancelDial context.CancelFunc // nil: inbound

	successor     *successor  // admission that gets the slot next; nil: none
	successorDial *dialTarget // dial that gets the slot next; nil: none
}

// hasSuccessor reports whether an admission or a dial waits for this slot.
func (s *slot) hasSuccessor() bool { return s.successor != nil || s.successorDial != nil }
