package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/crypto"
)

// The messages of a connection's actor, by direction. Besides these the actor receives only the messages of protoactor
// itself.

// fromRegistry is implemented by the messages of the registry, the actor's parent.
type fromRegistry interface{ fromRegistry() }

// Welcome answers Identified: the connection opens.
type Welcome struct {
	Inbox   *Inbox       // receives the messages
	Dedup   Deduplicator // of this peer
	Limiter Limiter      // for inbound messages
	Quiet   bool         // send nothing to an unverified peer: it has announced features on an earlier connection
	// Hold makes an initiator in SMSG format unverified again: its ack is no proof, and the registry publishes no route
	// before a frame of the peer has opened. Our pings do not wait.
	Hold bool
}

// Refuse answers Identified: the connection ends, and the peer is told the reason.
type Refuse struct {
	Reason string // sent in the ack
	Err    error  // returned to the caller that dialled
}

// Probe asks whether the peer is alive. The connection pings it and reports Alive or, after PongTimeout, Doubted.
type Probe struct{}

// RoutePublished answers Verified: the route table contains the connection, or another one carries the peer's traffic.
type RoutePublished struct {
	Limiter Limiter // for inbound messages from now on; nil: unchanged
}

// Yield closes a duplicate for sending: queued messages are sent, then a disconnect message. Messages of the peer
// are delivered until it has closed its side.
type Yield struct{ Reason string }

// CloseGracefully closes the connection: queued messages are sent first, then a disconnect message.
type CloseGracefully struct{ End End }

func (*Welcome) fromRegistry()         {}
func (*Refuse) fromRegistry()          {}
func (*Probe) fromRegistry()           {}
func (*RoutePublished) fromRegistry()  {}
func (*Yield) fromRegistry()           {}
func (*CloseGracefully) fromRegistry() {}

// fromPumps is implemented by the messages of the connection's own goroutines, slot and timer. A frameBatch has
// frames.
type fromPumps interface{ fromPumps() }

type (
	attached   struct{}            // the slot has a socket
	failed     struct{ err error } // the dial failed
	readEnded  struct{ err error } // the read pump has ended
	writeEnded struct{ err error } // the writer has failed
	congested  struct{}            // a message found the outbox full
	tick       struct{}            // the timer
	probePong  struct{}            // the peer answered a WebSocket ping
	resumed    struct{}            // a token has returned, or handlers have taken messages
)

func (*attached) fromPumps()   {}
func (*failed) fromPumps()     {}
func (*frameBatch) fromPumps() {}
func (*readEnded) fromPumps()  {}
func (*writeEnded) fromPumps() {}
func (*congested) fromPumps()  {}
func (*tick) fromPumps()       {}
func (*probePong) fromPumps()  {}
func (*resumed) fromPumps()    {}

// toRegistry is implemented by the messages to the parent.
type toRegistry interface{ toRegistry() }

// Identified reports the identity that the peer claims (to a responder) or has proven (to an initiator).
type Identified struct {
	PID       *actor.PID
	Identity  crypto.NodeIdentity
	Key       crypto.PublicKey
	Challenge [crypto.ChallengeSize]byte // the peer's; zero for an initiator
	Features  []string
	Remote    string // network address
	Strength  Strength
	Binds     bool // the peer announced a feature that requires a bind: it is verified at once
	Session   bool // the peer offers a session (inbound) or has accepted ours (outbound)
}

// Verified reports stronger evidence, or the first frame of the peer on an outbound connection. Messages wait until
// RoutePublished answers it.
type Verified struct {
	PID      *actor.PID
	Strength Strength
}

// Alive answers Probe: the peer sent a sign of life.
type Alive struct{ PID *actor.PID }

// Doubted answers Probe: the peer sent no sign of life within PongTimeout.
type Doubted struct{ PID *actor.PID }

// Foreign reports a frame that was sealed for another connection. This connection closes.
type Foreign struct{ PID *actor.PID }

// Confirmed reports, once per session, that Handle.Confirmed has become true.
type Confirmed struct{ PID *actor.PID }

// PeerPings reports, once per connection, that Handle.PeerPingInterval is known.
type PeerPings struct{ PID *actor.PID }

// Ended reports that the connection is out of service; its actor stops later. It is sent at most once, and never by an
// actor that panicked.
type Ended struct {
	PID *actor.PID
	End End
}

func (*Identified) toRegistry() {}
func (*Verified) toRegistry()   {}
func (*Alive) toRegistry()      {}
func (*Doubted) toRegistry()    {}
func (*Foreign) toRegistry()    {}
func (*PeerPings) toRegistry()  {}
func (*Confirmed) toRegistry()  {}
func (*Ended) toRegistry()      {}

// The compiler checks that these types implement the interfaces above.
var (
	_ = []fromRegistry{&Welcome{}, &Refuse{}, &Probe{}, &RoutePublished{}, &Yield{}, &CloseGracefully{}}
	_ = []toRegistry{&Identified{}, &Verified{}, &Alive{}, &Doubted{}, &Foreign{}, &PeerPings{}, &Confirmed{}, &Ended{}}
)
