package supervisor

import (
	"errors"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// Redialling a peer that is kept connected.
const (
	backoffBase   = 500 * time.Millisecond
	backoffMost   = time.Minute
	dialectPause  = 5 * time.Minute
	healthyBefore = time.Minute // a connection that lived this long starts the backoff anew
)

// backoff is the pause before the next dial after a number of failures in a row: full jitter, uniform between 0 and a
// bound that doubles. random is from [0, 1).
func backoff(failures int, random float64) time.Duration {
	bound := backoffMost
	if failures < 8 { // 0.5 s doubled 7 times is over a minute
		bound = min(bound, backoffBase<<max(failures-1, 0))
	}
	return time.Duration(random * float64(bound))
}

// displacedMost is how many closes as a duplicate in a row are followed by the ordinary backoff.
const displacedMost = 2

// errDisplaced is the end of a connection that the peer closed in favour of another one, of which this node has none:
// another host uses this identity.
var errDisplaced = errors.New("the peer keeps another connection of this identity")

// longPause returns the pause before the next dial after a failure that trying sooner does not mend; 0 for any other.
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

// closedAs judges the end of a connection to a peer to which this node holds no other. displaced is how many before
// it the peer closed as duplicates, in a row. It returns the new number, and errDisplaced if the peer says that the
// identity is in use elsewhere, or has closed more than displacedMost in a row as duplicates: a single one may be a
// crossed dial or a connection of ours that the peer still holds, and the peer tells a copy by several.
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
