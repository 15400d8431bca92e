package dedup

import (
	"fmt"
	"testing"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// together passes messages with these IDs to SeenTogether until all have a verdict.
func together(a actors.Deduplicator, content string, ids ...string) (verdicts []actors.Verdict) {
	messages := make([]wire.Message, len(ids))
	for i, id := range ids {
		messages[i] = *seenMessage(id, content)
	}
	keys := make([]uint64, len(ids))
	a.ExpectKeys(messages, keys)
	for len(messages) > 0 {
		fresh, verdict := a.SeenTogether(messages, keys, dedupStart)
		for range fresh {
			verdicts = append(verdicts, actors.Fresh)
		}
		if fresh == len(messages) {
			break
		}
		verdicts = append(verdicts, verdict)
		messages, keys = messages[fresh+1:], keys[fresh+1:]
	}
	return verdicts
}

// SeenTogether has the verdicts of SeenInSession, also for an ID twice in one call and for more messages than it hashes
// at once.
func TestSeenTogetherFindsDuplicates(t *testing.T) {
	d := newDedup(t, 1000, 1000)
	a, b := d.For("a"), d.For("b")
	a.SeenInSession(seenMessage("5", "x"), 0, dedupStart)
	b.SeenInSession(seenMessage("20", "x"), 0, dedupStart) // relayed by b
	b.SeenInSession(seenMessage("30", "forged"), 0, dedupStart)
	ids := make([]string, 40)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	ids[18] = "17"
	want := map[int]bool{5: true, 18: true, 20: true}
	for i, verdict := range together(a, "x", ids...) {
		if duplicate := verdict == actors.Duplicate; duplicate != want[i] || !duplicate && verdict != actors.Fresh {
			t.Errorf("message %d: verdict %v", i, verdict)
		}
	}
	for _, id := range []string{"0", "17", "30", "39"} {
		if got := a.SeenInSession(seenMessage(id, "y"), 0, dedupStart); got != actors.Duplicate {
			t.Errorf("%s again: %v", id, got)
		}
	}
	if got := a.SeenInSession(seenMessage("18", "x"), 0, dedupStart); got != actors.Fresh {
		t.Errorf("an ID that was not sent: %v", got)
	}
}

// The entries of one call count against the peer's share before the call ends.
func TestSeenTogetherKeepsTheShare(t *testing.T) {
	const limit, share = 50, 10 // 100 and 20 over both generations
	d := newDedup(t, limit, share)
	for i := range limit { // half full by others
		d.For(fmt.Sprint("other", i)).Seen(seenMessage(fmt.Sprint("o", i), ""), dedupStart)
	}
	ids := make([]string, 30)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	for i, verdict := range together(d.For("a"), "x", ids...) {
		want := actors.Fresh
		if i >= 2*share {
			want = actors.Full
		}
		if verdict != want {
			t.Errorf("message %d: verdict %v, want %v", i, verdict, want)
		}
	}
	if n := d.Len(); n != limit+2*share {
		t.Errorf("%d entries, want %d", n, limit+2*share)
	}
}
