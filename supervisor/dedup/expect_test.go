package dedup

import (
	"fmt"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/actors"
)

// Expect marks nothing, in a set of any size, and may run concurrently with all other methods.
func TestDedupExpectDecidesNothing(t *testing.T) {
	d := newDedup(t, 1<<20, 1<<20)
	account := d.For("a").(*Account)
	account.Expect([]byte("0"))
	var wg sync.WaitGroup
	for lane := range 2 {
		wg.Go(func() {
			for i := range farEntries {
				id := fmt.Sprint(lane, "-", i)
				account.Expect([]byte(id))
				if got := account.Seen(seenMessage(id, "x"), dedupStart); got != actors.Fresh {
					t.Errorf("%s: %v", id, got)
					return
				}
				account.Expect([]byte(id))
			}
		})
	}
	wg.Wait()
	if d.Len() != 2*farEntries {
		t.Errorf("%d entries, want %d", d.Len(), 2*farEntries)
	}
	expect(t, d, "a", "0-0", "x", 0, actors.Duplicate)
}
