package supervisor

// dialState is the state of a dial target. A target exists as long as a caller waits for it, its peer is kept
// connected, or its connection is open.
//
//	        wanted, due             opened
//	idle ───────────────> dialing ──────────> open
//	 ^ │                   │    ^              │
//	 │ │ peerEnded,  failed,    │ due,         │ ended, peerEnded,
//	 │ │ kept; rival    kept    │ wanted       │ kept and not connected otherwise
//	 │ v                   v    │              │
//	 │ waiting <───────── waiting <────────────┘
//	 └── ended while the peer has another connection
//
// In every state, an unwanted target is removed.
type dialState int

const (
	dialIdle    dialState = iota // no dial, no timer: the peer has another connection, or must not be dialled
	dialing                      // a dial is in progress
	dialOpen                     // the connection of the dial, or a further one to the same peer, is open
	dialWaiting                  // the timer of the next dial is running
)

// dialEvent is an input of the state machine.
type dialEvent int

const (
	dialWanted    dialEvent = iota // a caller, the configuration or the peer book wants the peer connected
	dialDue                        // the timer of the next dial has fired
	dialOpened                     // the handshake of the dial is complete
	dialFailed                     // the dial ended without a connection
	dialEnded                      // the target's connection has ended
	dialPeerEnded                  // another connection to the target's peer has ended, here or at another member
	dialReleased                   // a caller has withdrawn, or the configuration no longer names the peer
	dialDropped                    // the operator disconnects the peer
)

// dialFacts are the inputs of step beside the event.
type dialFacts struct {
	stopping  bool // the node is stopping: no dial starts
	kept      bool // the peer is kept connected
	callers   bool // callers wait for the target
	connected bool // the peer has a verified connection, inbound or outbound
	elsewhere bool // another member of the cluster is connected to the peer, or keeps the address connected
	revoked   bool // the peer may not connect
	rival     bool // another address of the peer is being dialled, and not for long
}

// dialAction is an output of the state machine.
type dialAction int

const (
	dialNothing dialAction = iota
	dialStart              // start a dial
	dialPause              // set the timer of the next dial
	dialYield              // set the timer to the time when the dial of the other address has lasted long
	dialRefuse             // answer the callers with ErrRevoked; remove the target unless it is kept
	dialForget             // remove the target, answer the callers, and stop its dial
)

// step returns the next state and the action to carry out.
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

// want starts a dial unless one is in progress or the peer is connected. A caller that still waits while the peer is
// connected expects another peer at the address: the address may have a new owner.
func (s dialState) want(f dialFacts) (dialState, dialAction) {
	switch {
	case f.stopping, s == dialing, s == dialOpen:
		return s, dialNothing
	case (f.connected || f.elsewhere) && !f.callers:
		return dialIdle, dialNothing // the end of that connection, or of that member, is the next event
	case f.revoked:
		return dialIdle, dialRefuse // an admission of the peer is the next event
	case f.rival && !f.callers:
		return dialWaiting, dialYield
	default:
		return dialing, dialStart
	}
}

// retry returns the state of a target whose dial has failed or whose connection has ended.
func (s dialState) retry(f dialFacts) (dialState, dialAction) {
	switch {
	case s != dialIdle, f.stopping:
		return s, dialNothing
	case !f.kept:
		return dialIdle, dialForget
	case f.connected || f.elsewhere:
		return dialIdle, dialNothing
	default:
		return dialWaiting, dialPause
	}
}
