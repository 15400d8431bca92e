package supervisor

import (
	"time"

	"github.com/Snider/go-p2p/actors"
)

// proofWindow is how close the proofs of two connections lie when both nodes have dialled each other at once.
const proofWindow = 10 * time.Second

// rank is the evidence by which two connections of the same peer are compared. Both ends reach the same order from it.
type rank struct {
	strength actors.Strength
	framed   bool // a frame that proves the peer has opened here, not only an ack
	living   bool // the peer has not left a probe unanswered here
	outbound bool
	ordered  bool      // outbound: dialled at an address that was ordered for this peer
	smaller  bool      // the node with the smaller id dialled it
	demoted  bool      // unmarked and inbound, of a peer that binds its frames elsewhere
	late     bool      // outbound: the dial began after another connection of the peer was bound, so the dials did not cross
	bound    time.Time // since when the strength is Bound
	order    uint64    // of two equals the lower is the incumbent
}

func (a rank) exact() bool { return a.strength >= actors.Bound }

// outranks reports whether a carries the peer's traffic rather than b. Only verified connections are compared.
//
// Between two bound connections: the living one, then the older proof; proofs within ten seconds of each other come
// from crossed dials, of which the one that the smaller id dialled wins. A bound connection goes before an unmarked
// one. Between two unmarked connections: the living one, one that we dialled at an ordered address, then the incumbent.
func (a rank) outranks(b rank) bool {
	switch {
	case a.framed != b.framed:
		return a.framed
	case a.strength != b.strength:
		return a.strength > b.strength
	case a.demoted != b.demoted:
		return b.demoted
	case a.living != b.living:
		return a.living
	case a.exact() && crossed(a, b):
		return a.smaller
	case a.exact() && !a.bound.Equal(b.bound):
		return a.bound.Before(b.bound)
	case !a.exact() && a.preferred() != b.preferred():
		return a.preferred()
	default:
		return a.order < b.order
	}
}

func (a rank) preferred() bool { return a.outbound && a.ordered }

// crossed reports whether two bound connections come from both nodes dialling at once.
func crossed(a, b rank) bool {
	return a.exact() && b.exact() && !a.late && !b.late && a.smaller != b.smaller && a.bound.Sub(b.bound).Abs() < proofWindow
}

// routeVerdict is what becomes of a connection that has proven itself beside the one that carries the traffic.
type routeVerdict int

const (
	routeStays     routeVerdict = iota // the newcomer is a duplicate
	routeMoves                         // the newcomer takes over at once
	routeContested                     // the incumbent is probed; until the answer messages go out on both
)

// judgeContest decides between the connection that carries a peer's traffic and another one that has just proven
// itself. A living incumbent keeps the traffic while it answers a probe; only the winner of two crossed dials takes over
// at once.
func judgeContest(incumbent, contender rank) routeVerdict {
	if contender.outranks(incumbent) {
		return routeMoves
	}
	dead := incumbent
	dead.living = false
	if contender.strength < incumbent.strength || !contender.outranks(dead) {
		return routeStays
	}
	return routeContested
}
