package dedup

import (
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
)

// Known returns the verdict of Seen and changes nothing: no entry, no account, no longer life of an entry.
func TestDedupKnownEntersNothing(t *testing.T) {
	const limit = 100 // 200 over both generations
	d := newDedup(t, limit, 10)
	known := func(peer, id, content string, after time.Duration, want actors.Verdict) {
		t.Helper()
		before := d.Len()
		for range 2 {
			if got := d.For(peer).Known(seenMessage(id, content), dedupStart.Add(after)); got != want {
				t.Errorf("%s asks for %s (%s) after %v: verdict %v, want %v", peer, id, content, after, got, want)
			}
		}
		if d.Len() != before {
			t.Errorf("%s asks for %s: %d entries, had %d", peer, id, d.Len(), before)
		}
	}
	known("a", "1", "x", 0, actors.Fresh)
	expect(t, d, "a", "1", "x", 0, actors.Fresh)
	known("a", "1", "x", 0, actors.Duplicate)
	known("a", "1", "y", 0, actors.Duplicate)
	known("b", "1", "x", testTTL, actors.Duplicate)
	known("b", "1", "y", 0, actors.Fresh)
	late := testTTL + time.Second
	known("a", "1", "x", late, actors.Fresh) // Known did not renew the entry
	for i := range 2 * limit {
		d.For(fmt.Sprint("other", i%20)).Seen(seenMessage(fmt.Sprint("o", i), ""), dedupStart)
	}
	known("b", "2", "x", 0, actors.Full)
	if _, exists := d.peers["b"]; exists {
		t.Error("Known created an account")
	}
	d.Distrust(dedupStart.Add(time.Second), dedupStart)
	known("a", "3", "x", 0, actors.Stale)
}
