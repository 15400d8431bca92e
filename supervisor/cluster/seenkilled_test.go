package cluster_test

import (
	"fmt"
	"testing"
	"time"
)

// A check that finds no subscription of the author's home or keeper has that member probed, as a claim does. The others
// then decide about its authors, and deliver no message twice.
func TestCheckNoticesAKilledMember(t *testing.T) {
	inWorld(t, "a b c", func(t *testing.T, w *world) {
		authors := append(peerNames(20), "author")
		w.members["a"].connect("author")
		settle()
		w.kill("a")
		time.Sleep(100 * time.Millisecond)
		once := 0
		for _, author := range authors {
			msg, copies := w.message(fmt.Sprint("of ", author), author), 0
			for _, member := range []string{"b", "c"} {
				if _, delivered := w.members[member].receive("relay", msg); delivered {
					copies++
				}
			}
			if copies > 1 {
				t.Errorf("%s: delivered twice", msg.ID)
			}
			once += copies
			time.Sleep(time.Millisecond)
		}
		if once < len(authors)-2 { // those that reach a member before it has noticed the end may be stale
			t.Errorf("%d of %d messages delivered", once, len(authors))
		}
	})
}
