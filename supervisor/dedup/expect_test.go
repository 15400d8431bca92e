package dedup

import (
	"fmt"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
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

// A message with the key of ExpectKeys has the verdicts and entries of one without, in a set of any size.
func TestDedupAcceptsTheKeyOfAnID(t *testing.T) {
	d := newDedup(t, 1<<20, 1<<20)
	a, b := d.For("a"), d.For("b")
	for i := range 2 * farEntries {
		msg := seenMessage(fmt.Sprint(i), "x")
		keys := make([]uint64, 1)
		a.ExpectKeys([]wire.Message{*msg}, keys)
		key := keys[0]
		if key == 0 {
			t.Fatalf("%s has no key", msg.ID)
		}
		if got := a.SeenInSession(msg, key, dedupStart); got != actors.Fresh {
			t.Fatalf("%s: %v", msg.ID, got)
		}
		if i%1000 > 0 {
			continue
		}
		for _, again := range []actors.Verdict{
			a.Seen(msg, dedupStart), a.SeenInSession(msg, 0, dedupStart), b.SeenInSession(msg, key, dedupStart),
		} {
			if again != actors.Duplicate {
				t.Fatalf("%s again: %v", msg.ID, again)
			}
		}
	}
}
