package supervisor

import "time"

// Redialling a peer that is kept connected.
const (
	backoffBase   = 500 * time.Millisecond
	backoffMost   = time.Minute
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
