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

// errDisplaced is the end of a connection that the peer closed in favour of another one, of which this node has none.
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

// closedAs returns errDisplaced for a connection that the peer closed as a duplicate, else nil.
func closedAs(end actors.End) error {
	if end.Remote && (end.Reason == reasonDuplicate || end.Reason == reasonIdentityInUse) {
		return errDisplaced
	}
	return nil
}
