package dedup

import (
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// together passes messages with these IDs to SeenTogether until all have a verdict.
func together(t *testing.T, a actors.Deduplicator, content string, ids ...string) []actors.Verdict {
	t.Helper()
	messages := make([]wire.Message, len(ids))
	for i, id := range ids {
		messages[i] = *seenMessage(id, content)
	}
	return messagesTogether(t, a, messages)
}

func messagesTogether(t *testing.T, a actors.Deduplicator, messages []wire.Message) (verdicts []actors.Verdict) {
	t.Helper()
	keys := make([]uint64, len(messages))
	a.ExpectKeys(messages, keys)
	for len(messages) > 0 {
		fresh, verdict := a.SeenTogether(messages, keys, dedupStart)
		if (verdict == actors.Fresh) != (fresh == len(messages)) {
			t.Fatalf("%d of %d messages are fresh, verdict %v", fresh, len(messages), verdict)
		}
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
	for i, verdict := range together(t, a, "x", ids...) {
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
	for i, verdict := range together(t, d.For("a"), "x", ids...) {
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

// Each message is compared by its own content, and remembered by its own stamp: b has relayed some, and other
// contents under the IDs of the others.
func TestSeenTogetherComparesEachContent(t *testing.T) {
	for _, n := range []int{1, 15, 16, 17, 40} {
		d := newDedup(t, 1000, 1000)
		d.Judge(testTTL, func(now time.Time) time.Time { return now })
		a, b := d.For("a"), d.For("b")
		messages := make([]wire.Message, n)
		for i := range messages {
			messages[i] = *seenMessage(fmt.Sprint(i), fmt.Sprint("content ", i))
			messages[i].Timestamp = dedupStart.Add(time.Duration(i) * time.Second)
			relayed := messages[i]
			if i%20 != 18 {
				relayed.Payload = seenMessage("", "forged").Payload
			}
			b.SeenInSession(&relayed, 0, dedupStart)
		}
		for i, verdict := range messagesTogether(t, a, messages) {
			want := actors.Fresh
			if i%20 == 18 {
				want = actors.Duplicate
			}
			if verdict != want {
				t.Errorf("message %d of %d: verdict %v, want %v", i, n, verdict, want)
			}
		}
		last := messages[n-1]
		until := last.Timestamp.Add(testTTL)
		d.Rotate(dedupStart.Add(testTTL))
		d.Rotate(until)
		if got := a.Known(&last, until.Add(-time.Second)); got != actors.Duplicate {
			t.Errorf("the last of %d messages within the window of its stamp: %v", n, got)
		}
	}
}
