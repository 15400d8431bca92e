package supervisor

import (
	"errors"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// Redialling of a peer that is kept connected.
const (
	backoffBase   = 500 * time.Millisecond
	backoffMost   = time.Minute
	dialectPause  = 5 * time.Minute
	healthyBefore = 10 * time.Second // a connection that lasted longer resets the backoff
)

// backoff returns the pause before the next dial after consecutive failures: uniform between 0 and a bound that doubles
// (full jitter). random is in [0, 1).
func backoff(failures int, random float64) time.Duration {
	bound := backoffMost
	if failures < 8 { // 0.5 s doubled 7 times is over a minute
		bound = min(bound, backoffBase<<max(failures-1, 0))
	}
	return time.Duration(random * float64(bound))
}

// displacedMost: after up to 2 consecutive closes as a duplicate, the ordinary backoff applies.
const displacedMost = 2

// errDisplaced is the cause if the peer closed a connection in favour of another one, of which this node knows nothing:
// another host uses this identity.
var errDisplaced = errors.New("the peer keeps another connection of this identity")

// longPause returns the pause before the next dial after an error that an early retry cannot fix, or 0.
func longPause(err error) time.Duration {
	switch {
	case errors.Is(err, actors.ErrLaterDialect):
		return dialectPause
	case errors.Is(err, ErrOwnAddress), errors.Is(err, errDisplaced):
		return backoffMost
	default:
		return 0
	}
}

// closedAs evaluates the end of a connection to a peer that has no other connection to this node. displaced is the
// number of consecutive earlier closes as a duplicate. closedAs returns the new number. It also returns errDisplaced if
// the peer reported that the identity is in use elsewhere, or closed more than displacedMost connections in a row as
// duplicates. A single close is not enough: it may be a crossed dial, or the peer may still hold an older connection of
// this node.
func closedAs(end actors.End, displaced int) (int, error) {
	switch {
	case end.Remote && end.Reason == reasonIdentityInUse:
		return displaced + 1, errDisplaced
	case end.Remote && end.Reason == reasonDuplicate && displaced >= displacedMost:
		return displaced + 1, errDisplaced
	case end.Remote && end.Reason == reasonDuplicate:
		return displaced + 1, nil
	default:
		return 0, nil
	}
}
