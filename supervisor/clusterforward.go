package supervisor

import (
	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// ClusterForward is the part of Cluster that sends messages to the peers of other members. Safe for concurrent use.
type ClusterForward interface {
	// Forward sends a message to a peer that another member holds, in batches. It returns at once: with an error if the
	// message was refused, and otherwise done is called exactly once, on any goroutine, with the result at that member.
	// cancel tells the member that the caller no longer waits. The caller may change the message after the return.
	//
	// Forward returns ErrNotConnected if no other member holds the peer, ErrQueueFull if the other member acknowledges
	// nothing and 16 batches of up to 256 messages are in flight to it, ErrTooLarge, or ErrInvalidMessage. The result is
	// ErrUnconfirmed, within two seconds, if the member was lost with the message in flight. If the member no longer holds
	// the peer, the message is forwarded once more. No message that may have been sent is repeated.
	Forward(f Forwarding, done func(Forwarded)) (cancel func(), err error)
	// Broadcast sends a message to the peers of all other members, except its author. An empty role means all peers.
	// here must be called once, with the result of this member. After that, and when the other members have answered,
	// done is called exactly once, on any goroutine, with the merged results: each peer that was connected to any member
	// counts in Sent or is named in Failed. A member that was lost meanwhile counts with the peers that it held as failed.
	// Refused is that of here. The caller may change the message after the return.
	Broadcast(msg *wire.Message, role crypto.NodeRole, done func(BroadcastResult)) (here func(MemberBroadcast))
}

// ClusterForwardLocal is the part of ClusterLocal that gets the messages of other members. Its methods return at once.
type ClusterForwardLocal interface {
	// Deliver sends a message of another member to a peer of this one. done is called exactly once, on any goroutine:
	// with ErrNotConnected only if nothing was sent. cancel, which may be nil, ends the wait: a message in the peer's
	// queue is withdrawn if it waits for the peer's rate limit.
	Deliver(f Forwarding, done func(Forwarded)) (cancel func())
	// DeliverBroadcast sends a message of another member to all peers of this one, except its author. An empty role means
	// all peers. done is called exactly once, on any goroutine, or not at all if the transport stops.
	DeliverBroadcast(msg *wire.Message, role crypto.NodeRole, done func(MemberBroadcast))
}

// ForwardMode selects when a message to a peer of another member is done.
type ForwardMode uint8

// The modes.
const (
	ForwardWritten   ForwardMode = iota // accepted by the operating system, as with Transport.SendContext
	ForwardQueued                       // enqueued for the peer, as with PeerConnection.Post
	ForwardConfirmed                    // accepted by the peer's node, as with Transport.SendConfirmed
	ForwardAnswered                     // answered by the peer, as with Transport.RequestContext
)

// Forwarding is a message from one member to a peer that another member holds.
type Forwarding struct {
	Peer    string // node ID
	Message *wire.Message
	Mode    ForwardMode
	Endless bool // the caller cannot end its wait: a written message waits for the peer's rate limit for WriteTimeout
	// Gathering makes the peer's writer wait for its Flush, if the message is enqueued before Deliver returns. nil: it
	// starts at once. Forward ignores it.
	Gathering *actors.Gathering
}

// Forwarded is the result of a Forwarding.
type Forwarded struct {
	Reply *wire.Message // of ForwardAnswered, of any type; otherwise nil
	Err   error
}
