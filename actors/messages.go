package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/crypto"
)

// The messages of a connection's actor, by direction. Nothing else reaches it but what protoactor itself sends.

// fromRegistry are what the parent may send.
type fromRegistry interface{ fromRegistry() }

// Welcome answers Identified: the connection opens.
type Welcome struct {
	Inbox   *Inbox       // takes its messages
	Dedup   Deduplicator // for this peer
	Limiter Limiter      // of its inbound messages
	Quiet   bool         // send an unverified peer nothing: a peer of this key has announced features before
}

// Refuse answers Identified: the connection ends, and the peer is told why.
type Refuse struct {
	Reason string // on the wire, in the ack
	Err    error  // what the one who dialled is told
}

// Probe asks whether the peer is still there. The connection pings it, and reports Alive or, after PongTimeout, Doubted.
type Probe struct{}

// RoutePublished answers Verified: the route table knows of it.
type RoutePublished struct {
	Limiter Limiter // of the inbound messages from now on; nil: as before
}

// Yield closes a duplicate for sending: messages that are reserved go out, then a disconnect message; messages of the
// peer are delivered until it has closed its side.
type Yield struct{ Reason string }

// CloseGracefully ends the connection gracefully: what is queued goes out first, a disconnect message last.
type CloseGracefully struct{ End End }

func (*Welcome) fromRegistry()         {}
func (*Refuse) fromRegistry()          {}
func (*Probe) fromRegistry()           {}
func (*RoutePublished) fromRegistry()  {}
func (*Yield) fromRegistry()           {}
func (*CloseGracefully) fromRegistry() {}

// fromPumps are what the connection's own goroutines, its slot and its timer send; an arrival is of frames.
type fromPumps interface{ fromPumps() }

type (
	attached   struct{}            // the slot has a socket
	failed     struct{ err error } // the dial failed
	readEnded  struct{ err error } // the read pump is gone
	writeEnded struct{ err error } // the writer failed
	congested  struct{}            // a message found the queue full
	tick       struct{}            // the timer
	probePong  struct{}            // the peer answered a WebSocket ping
)

func (*attached) fromPumps()   {}
func (*failed) fromPumps()     {}
func (*frameBatch) fromPumps() {}
func (*readEnded) fromPumps()  {}
func (*writeEnded) fromPumps() {}
func (*congested) fromPumps()  {}
func (*tick) fromPumps()       {}
func (*probePong) fromPumps()  {}

// fromSenders is what anybody with a Handle may send.
type fromSenders interface{ fromSenders() }

func (*frame) fromSenders()    {}
func (*Outgoing) fromSenders() {}

// toRegistry are what the connection tells its parent.
type toRegistry interface{ toRegistry() }

// Identified says who the peer claims to be (a responder's view) or has proven to be (an initiator's).
type Identified struct {
	PID       *actor.PID
	Identity  crypto.NodeIdentity
	Key       crypto.PublicKey
	Challenge [crypto.ChallengeSize]byte // the peer's; zero for an initiator
	Features  []string
	Remote    string // network address
	Strength  Strength
	Binds     bool // the peer announced a feature that obliges it to bind its frames: it proves itself at once
}

// Verified reports a stronger proof, or the first frame of the peer on a connection that we dialled. Messages wait until
// RoutePublished answers it.
type Verified struct {
	PID      *actor.PID
	Strength Strength
}

// Alive answers Probe: the peer gave a sign of life.
type Alive struct{ PID *actor.PID }

// Doubted answers Probe: the peer gave no sign of life within PongTimeout.
type Doubted struct{ PID *actor.PID }

// Foreign reports a frame that was sealed for another connection, for which this one is being closed.
type Foreign struct{ PID *actor.PID }

// Ended says that the connection is over; its actor follows. It is sent at most once, and not by one that panicked.
type Ended struct {
	PID *actor.PID
	End End
}

func (*Identified) toRegistry() {}
func (*Verified) toRegistry()   {}
func (*Alive) toRegistry()      {}
func (*Doubted) toRegistry()    {}
func (*Foreign) toRegistry()    {}
func (*Ended) toRegistry()      {}

// These hold the sets together; the compiler checks that each set is what its comment says.
var (
	_ = []fromRegistry{&Welcome{}, &Refuse{}, &Probe{}, &RoutePublished{}, &Yield{}, &CloseGracefully{}}
	_ = []toRegistry{&Identified{}, &Verified{}, &Alive{}, &Doubted{}, &Foreign{}, &Ended{}}
	_ = []fromSenders{&frame{}, &Outgoing{}}
)
