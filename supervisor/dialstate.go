package supervisor

// dialState is the state of a dial target. A target exists as long as a caller waits for it, its peer is kept
// connected, or its connection is open.
//
//	        wanted, due             opened
//	idle ───────────────> dialing ──────────> open
//	 ^ │                   │    ^              │
//	 │ │ peerEnded,  failed,    │ due,         │ ended, peerEnded,
//	 │ │ kept           kept    │ wanted       │ kept and not connected otherwise
//	 │ v                   v    │              │
//	 │ waiting <───────── waiting <────────────┘
//	 └── ended while the peer has another connection
//
// From each state a target that is no longer wanted is forgotten.
type dialState int

const (
	dialIdle    dialState = iota // neither connection nor timer: the peer is connected otherwise, or may not be dialled
	dialing                      // a dial is under way
	dialOpen                     // the connection of the dial, or a further one to the same peer, is open
	dialWaiting                  // the timer of the next dial runs
)

// dialEvent is an input of the state machine.
type dialEvent int

const (
	dialWanted    dialEvent = iota // a caller, the configuration or the peer book asks for the peer
	dialDue                        // the pause is over
	dialOpened                     // the handshake of the dial is complete
	dialFailed                     // the dial ended without a connection
	dialEnded                      // the target's connection has ended
	dialPeerEnded                  // another connection to the target's peer has ended
	dialReleased                   // a caller has left, or the configuration no longer names the peer
	dialDropped                    // the operator disconnects the peer
)

// dialFacts are the circumstances of an event.
type dialFacts struct {
	stopping  bool // the node ends: no dial starts
	kept      bool // the peer is kept connected
	callers   bool // callers wait for the target
	connected bool // the peer has a verified connection, inbound or outbound
	revoked   bool // the peer may not connect
}

// dialAction is an output of the state machine.
type dialAction int

const (
	dialNothing dialAction = iota
	dialStart              // start a dial
	dialPause              // set the timer of the next dial
	dialRefuse             // tell the callers that the peer is revoked; forget the target unless it is kept
	dialForget             // forget the target, tell the callers, and end its dial
)

// step returns the state that follows an event, and the action to carry out.
func (s dialState) step(event dialEvent, f dialFacts) (dialState, dialAction) {
	switch event {
	case dialWanted, dialDue:
		return s.want(f)
	case dialOpened:
		return dialOpen, dialNothing
	case dialFailed, dialEnded:
		return dialIdle.retry(f)
	case dialPeerEnded:
		return s.retry(f)
	case dialReleased:
		if f.kept || f.callers || s == dialOpen {
			return s, dialNothing
		}
		return dialIdle, dialForget
	case dialDropped:
		return dialIdle, dialForget
	default:
		return s, dialNothing
	}
}

// want starts a dial unless one is under way or the peer is connected. A caller that waits although the peer is
// connected asks for another peer than the one that was there before: the address may have a new owner.
func (s dialState) want(f dialFacts) (dialState, dialAction) {
	switch {
	case f.stopping, s == dialing, s == dialOpen:
		return s, dialNothing
	case f.connected && !f.callers:
		return dialIdle, dialNothing // the end of that connection is an event
	case f.revoked:
		return dialIdle, dialRefuse // an admission of the peer is an event
	default:
		return dialing, dialStart
	}
}

// retry leaves a target that has lost its connection, or failed to open one.
func (s dialState) retry(f dialFacts) (dialState, dialAction) {
	switch {
	case s != dialIdle, f.stopping:
		return s, dialNothing
	case !f.kept:
		return dialIdle, dialForget
	case f.connected:
		return dialIdle, dialNothing
	default:
		return dialWaiting, dialPause
	}
}
