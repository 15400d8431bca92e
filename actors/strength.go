package actors

import (
	"strings"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Strength is how well a connection has proven that its peer holds the key it
// claims. It belongs to one connection and only rises.
type Strength uint8

// The strengths, weakest first.
const (
	Claimed  Strength = iota // no evidence on this connection
	Unmarked                 // inbound: a fresh frame of the peer opened; outbound: the ack answered our challenge
	Bound                    // a frame that carries this connection's bind opened (protocol section 7)
)

var strengthNames = [...]string{Claimed: "claimed", Unmarked: "unmarked", Bound: "bound"}

// String returns "claimed", "unmarked" or "bound".
func (s Strength) String() string { return strengthNames[s] }

// Verified reports whether the peer may be spoken to as the owner of its key.
func (s Strength) Verified() bool { return s >= Unmarked }

// markVerdict is the judgement of the bind of a frame that opened.
type markVerdict int

const (
	markBound     markVerdict = iota // the peer sealed it for this connection
	markAbsent                       // a node that does not bind sealed it
	markReflected                    // we sealed it for this connection
	markForeign                      // it was sealed for another connection, or the peer must bind and did not
)

// judgeMark judges the text of a frame's bind, nil when the frame has none. own
// (nil: none) and peer are the binds that the two sides of this connection seal
// with; must is set when the peer announced a feature that obliges it to bind, or
// has bound a frame here before.
func judgeMark(bind, own []byte, peer *crypto.Bind, must bool) markVerdict {
	switch {
	case bind == nil && must:
		return markForeign
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

// mustBind reports whether a peer that announces these features binds every
// frame (protocol section 7): releases that know the features know the bind.
func mustBind(features []string) bool {
	for _, f := range features {
		if f == wire.FeatureConfirm || f == wire.FeatureSession || strings.HasPrefix(f, wire.FeatureRatePrefix) ||
			strings.HasPrefix(f, wire.FeatureAgentPrefix) {
			return true
		}
	}
	return false
}
