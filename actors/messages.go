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
	Delivery *Delivery    // where its messages go
	Dedup    Deduplicator // for this peer
	Limiter  Limiter      // of its inbound messages
}

// Refuse answers Identified: the connection ends, and the peer is told why.
type Refuse struct {
	Reason string // on the wire, in the ack
	Err    error  // what the one who dialled is told
}

// Probe asks whether the peer is still there: the connection pings it and reports Alive at the next fresh message.
type Probe struct{}

// Confirmed answers Proven: the directory knows of it.
type Confirmed struct{}

// Goodbye ends the connection gracefully: what is queued goes out first, a disconnect message last.
type Goodbye struct{ End End }

func (*Welcome) fromRegistry()   {}
func (*Refuse) fromRegistry()    {}
func (*Probe) fromRegistry()     {}
func (*Confirmed) fromRegistry() {}
func (*Goodbye) fromRegistry()   {}

// fromPumps are what the connection's own goroutines, its slot and its timer send; an arrival is of frames.
type fromPumps interface{ fromPumps() }

type (
	attached   struct{}            // the slot has a socket
	failed     struct{ err error } // the dial failed
	readEnded  struct{ err error } // the read pump is gone
	writeEnded struct{ err error } // the writer failed
	congested  struct{}            // a message found the queue full
	tick       struct{}            // the timer
)

func (*attached) fromPumps()   {}
func (*failed) fromPumps()     {}
func (*arrival) fromPumps()    {}
func (*readEnded) fromPumps()  {}
func (*writeEnded) fromPumps() {}
func (*congested) fromPumps()  {}
func (*tick) fromPumps()       {}

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
	Proven    bool
}

// Proven says that an inbound peer has shown that it holds its key.
type Proven struct{ PID *actor.PID }

// Alive answers Probe.
type Alive struct{ PID *actor.PID }

// Ended says that the connection is over; its actor follows. It is sent at most once, and not by one that panicked.
type Ended struct {
	PID *actor.PID
	End End
}

func (*Identified) toRegistry() {}
func (*Proven) toRegistry()     {}
func (*Alive) toRegistry()      {}
func (*Ended) toRegistry()      {}

// These hold the sets together; the compiler checks that each set is what its comment says.
var (
	_ = []fromRegistry{&Welcome{}, &Refuse{}, &Probe{}, &Confirmed{}, &Goodbye{}}
	_ = []toRegistry{&Identified{}, &Proven{}, &Alive{}, &Ended{}}
	_ = []fromSenders{&frame{}, &Outgoing{}}
)
