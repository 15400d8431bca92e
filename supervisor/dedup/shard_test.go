package dedup

import (
	"fmt"
	"testing"

	"github.com/Snider/go-p2p/actors"
)

// In a large set, shards reserve capacity for several entries at once. At the limit, at most a 64th stays unused, and
// the limit is never exceeded.
func TestDedupLargeSetKeepsItsLimit(t *testing.T) {
	const limit = 1 << 17
	d := newDedup(t, limit/2, limit/2)
	if d.lease() < 2 {
		t.Fatalf("shards take room for %d", d.lease())
	}
	account, msg, fresh := d.For("a"), seenMessage("", "x"), 0
	for i := range limit + 1000 {
		msg.ID = fmt.Sprint(i)
		if account.Seen(msg, dedupStart) == actors.Fresh {
			fresh++
		}
	}
	if fresh != d.Len() || fresh > limit || fresh < limit-limit/64 {
		t.Errorf("%d fresh ones and %d entries, limit %d", fresh, d.Len(), limit)
	}
	d.Rotate(dedupStart.Add(testTTL))
	d.Rotate(dedupStart.Add(2 * testTTL))
	if d.Len() != 0 {
		t.Errorf("%d entries are left", d.Len())
	}
	if count := d.count.Load(); count < 0 || count >= shardCount*d.lease() {
		t.Errorf("an empty set counts %d", count)
	}
}
