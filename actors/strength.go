package actors

import (
	"strings"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Strength is the strength of the evidence that the peer of a connection holds its key. It belongs to one connection
// and never decreases.
type Strength uint8

// The strengths, in ascending order.
const (
	Claimed  Strength = iota // no evidence on this connection
	Unmarked                 // inbound: a fresh frame of the peer opened; outbound: the ack answered our challenge
	Bound                    // a frame that carries this connection's bind opened (protocol section 7)
	Session                  // a record of a session opened
)

var strengthNames = [...]string{Claimed: "claimed", Unmarked: "unmarked", Bound: "bound", Session: "session"}

// String returns "claimed", "unmarked", "bound" or "session".
func (s Strength) String() string { return strengthNames[s] }

// Verified reports whether the peer has proven that it holds its key.
func (s Strength) Verified() bool { return s >= Unmarked }

// mark is the evidence that an opened frame is of this connection.
type mark int

const (
	markNone      mark = iota // the frame is not readable: malformed
	markBound                 // the peer sealed it for this connection
	markAbsent                // sealed by a node that does not bind
	markReflected             // this node sealed it for this connection
	markForeign               // sealed for another connection
	markSession               // a record of this session
)

// judgeBind returns the mark of a frame with this bind, nil if it has none. own (nil: none) and peer are the binds of
// the two sides of this connection.
func judgeBind(bind, own []byte, peer *crypto.Bind) mark {
	switch {
	case bind == nil:
		return markAbsent
	case string(bind) == string(peer[:]):
		return markBound
	case own != nil && string(bind) == string(own):
		return markReflected
	default:
		return markForeign
	}
}

// ackStrength returns the strength of the evidence in an ack that answers the challenge. In a session it proves
// nothing: a relay may have changed it. Nor does it if the peer must bind its frames: the first frame shows whether a
// relay has changed the handshake, so no message is sent before.
func ackStrength(peer claim) Strength {
	if peer.terms != nil || mustBind(peer.features) {
		return Claimed
	}
	return Unmarked
}

// mustBind reports whether a peer with these features binds every frame (protocol section 7): all releases that know
// the features know the bind.
func mustBind(features []string) bool {
	for _, f := range features {
		if f == wire.FeatureConfirm || f == wire.FeatureSession || strings.HasPrefix(f, wire.FeatureRatePrefix) ||
			strings.HasPrefix(f, wire.FeatureAgentPrefix) {
			return true
		}
	}
	return false
}
