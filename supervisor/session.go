package supervisor

import (
	"errors"
	"fmt"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// SessionMode selects with which peers a node uses session/1, the frame format with forward secrecy (protocol section
// 9), and with which it uses SMSG.
type SessionMode int

// The session modes.
const (
	// SessionPin offers and answers sessions. The peer book stores which peers have spoken session/1. Application messages
	// for such a peer wait until an SMSG connection that this node dialled has proved itself by a frame. The default.
	SessionPin SessionMode = iota
	// SessionOff offers no session and answers none: SMSG with every peer.
	SessionOff
	// SessionPrefer offers and answers sessions. It pins no peer and no message waits.
	SessionPrefer
	// SessionRequire offers and answers sessions, and refuses peers without them.
	SessionRequire
)

var sessionModeNames = [...]string{
	SessionPin: "pin", SessionOff: "off", SessionPrefer: "prefer", SessionRequire: "require",
}

// ParseSessionMode returns the mode with this name: "off", "prefer", "pin" or "require".
func ParseSessionMode(name string) (SessionMode, error) {
	for mode, known := range sessionModeNames {
		if name == known {
			return SessionMode(mode), nil
		}
	}
	return 0, fmt.Errorf("%q is not a session mode: use off, prefer, pin or require", name)
}

// String returns the name of the mode, or "invalid".
func (m SessionMode) String() string {
	if !m.valid() {
		return "invalid"
	}
	return sessionModeNames[m]
}

func (m SessionMode) valid() bool { return m >= 0 && int(m) < len(sessionModeNames) }

// pins reports whether the peer book records that a peer has spoken session/1.
func (m SessionMode) pins() bool { return m == SessionPin || m == SessionRequire }

// holds reports whether a connection that this node dialled to a pinned peer is held: the peer has accepted no session,
// so its first frame decides whether its sessions are switched off or it was rolled back. A node that has offered no
// session holds nothing.
func (m SessionMode) holds(outbound, session, pinned bool) bool {
	return m == SessionPin && outbound && !session && pinned
}

// sessionPolicy returns the session settings of the connections.
func (c *TransportConfig) sessionPolicy() actors.SessionPolicy {
	return actors.SessionPolicy{Offer: c.Session != SessionOff, KEM: c.SessionPQ && c.Session != SessionOff}
}

// ErrSessionRequired means that the peer accepts no session and this node requires one (SessionRequire). A peer that
// requires one itself answers with ErrRefused and the reason "session required".
var ErrSessionRequired = errors.New("the peer offers no " + wire.FeatureSession + ", and this node requires it")

// refusedSession is the reason for which SessionRequire refuses a peer, and the reason of the ack.
const refusedSession refusal = wire.ReasonSessionRequired
