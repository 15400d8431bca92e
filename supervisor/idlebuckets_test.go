package supervisor

import (
	"fmt"
	"testing"
	"time"
)

// Identities beyond the capacity, whose announced limits take decades to fill, evict each other and not the buckets of
// honest peers. The next honest peer is kept too.
func TestIdleBucketsEvictTheSlowestToFill(t *testing.T) {
	start := time.Unix(0, 0)
	b := make(idleSendBuckets)
	honest := func(from, to int) (kept int) {
		for i := from; i < to; i++ {
			if _, ok := b[fmt.Sprint("honest", i)]; ok {
				kept++
			}
		}
		return kept
	}
	for i := range 100 {
		b.keep(fmt.Sprint("honest", i), idleSendBucket{fullAt: start.Add(4 * time.Second)}, start)
	}
	for i := range 2 * maxIdleBuckets {
		b.keep(fmt.Sprint("stranger", i), idleSendBucket{fullAt: start.Add(64 * 365 * 24 * time.Hour)}, start)
	}
	for i := 100; i < 200; i++ {
		b.keep(fmt.Sprint("honest", i), idleSendBucket{fullAt: start.Add(4 * time.Second)}, start)
	}
	if got := honest(0, 200); got != 200 || len(b) != maxIdleBuckets {
		t.Errorf("%d of 200 honest peers and %d in all are kept, want all and %d", got, len(b), maxIdleBuckets)
	}
	b.expire(start.Add(5 * time.Second))
	if got := honest(0, 200); got != 0 || len(b) != maxIdleBuckets-200 {
		t.Errorf("%d full buckets are kept, %d in all", got, len(b))
	}
	b.expire(start.Add(maxIdleAge + 1))
	if len(b) != 0 {
		t.Errorf("%d buckets are kept after an hour", len(b))
	}
}
