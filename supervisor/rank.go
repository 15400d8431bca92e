package supervisor

import (
	"time"

	"github.com/Snider/go-p2p/actors"
)

// proofWindow is the maximum time between the proofs of two connections from simultaneous dials.
const proofWindow = 10 * time.Second

// rank holds the evidence that decides between two connections of one peer. Both nodes derive the same order from it.
type rank struct {
	strength actors.Strength
	framed   bool // the peer has sent a frame on this connection, not only an ack
	living   bool // the peer has answered every probe on this connection
	outbound bool
	expected bool      // outbound: the dial accepts only this peer at the address
	smaller  bool      // the node with the smaller id dialled it
	demoted  bool      // unmarked and inbound, while the peer binds its frames on other connections
	late     bool      // its dial is not known to have crossed that of the other connection, see judgeCrossing
	boundAt  time.Time // start of strength Bound or Session
	order    uint64    // the lower of two equal ranks is the incumbent
}

func (a rank) isBound() bool { return a.strength >= actors.Bound }

// mayFollow reports whether a takes over if the route b is dead: a bound connection even from a session, for a peer
// that has switched its sessions off.
func (a rank) mayFollow(b rank) bool { return a.strength >= b.strength || a.isBound() }

// outranks reports whether a is the better route than b. Both must be verified.
//
// Bound connections and sessions outrank unmarked ones. Between two of them a living one outranks one that missed a
// probe, then a session a bound one, then the older proof wins. Proofs within ten seconds of each other come
// from crossed dials: the connection that the node with the smaller id dialled wins. Between two unmarked connections,
// the order is: living, dialled by this node at an address where only this peer is accepted, incumbent.
func (a rank) outranks(b rank) bool {
	switch {
	case a.framed != b.framed:
		return a.framed
	case a.isBound() && b.isBound() && a.living != b.living:
		return a.living
	case a.strength != b.strength:
		return a.strength > b.strength
	case a.demoted != b.demoted:
		return b.demoted
	case a.living != b.living:
		return a.living
	case a.isBound() && !a.precedence().Equal(b.precedence()):
		return a.precedence().Before(b.precedence())
	case a.isBound() && !a.boundAt.Equal(b.boundAt):
		return a.boundAt.Before(b.boundAt)
	case !a.isBound() && a.preferred() != b.preferred():
		return a.preferred()
	default:
		return a.order < b.order
	}
}

// precedence is the time that orders bound connections: that of the proof, or the start of the window of crossed dials
// for a connection that wins if dials have crossed. One time per connection keeps the order free of circles.
func (a rank) precedence() time.Time {
	if a.smaller && !a.late {
		return a.boundAt.Add(-proofWindow)
	}
	return a.boundAt
}

func (a rank) preferred() bool { return a.outbound && a.expected }

// crossed reports whether two bound connections or sessions come from simultaneous dials of both nodes.
func crossed(a, b rank) bool {
	return a.isBound() && b.isBound() && !a.late && !b.late && a.smaller != b.smaller &&
		a.boundAt.Sub(b.boundAt).Abs() < proofWindow
}

// routeVerdict is the result of a contest between the route and a contender.
type routeVerdict int

const (
	routeStays     routeVerdict = iota // the contender is a duplicate
	routeMoves                         // the contender becomes the route at once
	routeContested                     // the registry probes the incumbent; until it answers, messages go out on both
)

// judgeContest decides between the route and a connection that has just become verified. A living incumbent stays the
// route while it answers a probe. Only the winner of two crossed dials takes over at once.
func judgeContest(incumbent, contender rank) routeVerdict {
	if contender.outranks(incumbent) {
		return routeMoves
	}
	dead := incumbent
	dead.living = false
	if !contender.outranks(dead) {
		return routeStays
	}
	return routeContested
}
