package supervisor

import (
	"fmt"
	"testing"
	"time"
)

// More identities than there is room for, whose announced limits take 64 years to fill, displace each other and not the
// buckets of honest peers, and the next honest peer is kept too.
func TestLeftBucketsEvictTheSlowestToFill(t *testing.T) {
	start := time.Unix(0, 0)
	l := make(leftBuckets)
	honest := func(from, to int) (kept int) {
		for i := from; i < to; i++ {
			if _, ok := l[fmt.Sprint("honest", i)]; ok {
				kept++
			}
		}
		return kept
	}
	for i := range 100 {
		l.keep(fmt.Sprint("honest", i), leftBucket{fullAt: start.Add(4 * time.Second)}, start)
	}
	for i := range 2 * maxIdleBuckets {
		l.keep(fmt.Sprint("stranger", i), leftBucket{fullAt: start.Add(64 * 365 * 24 * time.Hour)}, start)
	}
	for i := 100; i < 200; i++ {
		l.keep(fmt.Sprint("honest", i), leftBucket{fullAt: start.Add(4 * time.Second)}, start)
	}
	if got := honest(0, 200); got != 200 || len(l) != maxIdleBuckets {
		t.Errorf("%d of 200 honest peers and %d in all are kept, want all and %d", got, len(l), maxIdleBuckets)
	}
	l.expire(start.Add(5 * time.Second))
	if got := honest(0, 200); got != 0 || len(l) != maxIdleBuckets-200 {
		t.Errorf("%d full buckets are kept, %d in all", got, len(l))
	}
	l.expire(start.Add(maxLeftAge + 1))
	if len(l) != 0 {
		t.Errorf("%d buckets are kept after an hour", len(l))
	}
}
