package cluster

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

// An asked member has stopped. The history of homes decides whether the message is fresh; without that start in it, the
// message is unanswered, as that member's. Until the history knows the end, no verdict is known.
func TestStoppedMemberIsJudgedByTheHistory(t *testing.T) {
	for _, row := range []struct {
		name    string
		stopped startOf
		noted   bool // as a former home
		stamp   time.Duration
		want    actors.Verdict
		waits   bool
	}{
		{"it seems to run", startOf{"up", 1}, true, time.Minute, actors.Stale, true},
		{"lost, stamped after its end", startOf{"dead", 1}, true, time.Minute, actors.Fresh, false},
		{"lost, stamped before its end", startOf{"dead", 1}, true, -time.Minute, actors.Stale, false},
		{"lost, its authors are not known here", startOf{"dead", 1}, false, -time.Minute, actors.Unanswered, false},
		{"handed over", startOf{"left", 1}, false, -time.Minute, actors.Fresh, false},
		{"an earlier start handed over", startOf{"left", 7}, false, -time.Minute, actors.Unanswered, false},
		{"never heard", startOf{"gone", 0}, false, -time.Minute, actors.Unanswered, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, q := ruleSeen(), &inquiry{asked: []string{row.stopped.member}, stopped: []startOf{row.stopped}}
			s.directory.set("author", s.self, 1)
			q.check = &supervisor.SeenCheck{Author: "author", Stamp: time.Now().Add(row.stamp), Adjusted: true}
			q.check.Verdict = actors.Stale // by take
			if row.noted {
				s.held["author"] = []former{s.now(row.stopped.member, row.stopped.boot)}
			}
			s.advance(q)
			if q.check.Verdict != row.want || q.moved != row.waits || q.ended == row.waits {
				t.Errorf("%s: %v, waits %v, ended %v, want %v, waits %v", row.name, q.check.Verdict, q.moved, q.ended, row.want,
					row.waits)
			}
		})
	}
}

// The home of an author has stopped, and another member decides now. If that one does not answer, the message is
// refused only if the former home may have delivered it.
func TestNextDeciderWithoutAnswerMakesNoNewMessageStale(t *testing.T) {
	for stamp, want := range map[time.Duration]actors.Verdict{
		-time.Minute: actors.Stale, time.Minute: actors.Unanswered,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := ruleSeen()
			s.directory.set("author", &member{name: "up", boot: 1}, 1)
			s.former["author"] = []former{s.now("dead", 1)}
			q := &inquiry{first: true, stopped: []startOf{{"dead", 1}}}
			q.check = &supervisor.SeenCheck{Author: "author", Stamp: time.Now().Add(stamp), Adjusted: true}
			q.check.Verdict = actors.Stale
			if s.advance(q); !slices.Equal(q.next, []string{"up"}) || q.check.Verdict != want {
				t.Errorf("stamped %v after the end: asks %q, %v, want %v", stamp, q.next, q.check.Verdict, want)
			}
		})
	}
}

// The answer of the present decider accounts for an earlier one that has stopped, but not for itself.
func TestDeciderAccountsForEarlierOnes(t *testing.T) {
	now := startOf{"up", 1}
	for boot, want := range map[uint64][]startOf{1: nil, 2: {now}} {
		q := &inquiry{first: true, check: &supervisor.SeenCheck{}, stopped: []startOf{{"dead", 1}}}
		q.take(result{inquiry: q, asked: now, answer: checked{verdict: seenFresh, boot: boot}})
		if !slices.Equal(q.stopped, want) {
			t.Errorf("answer of the start %d: have stopped %v, want %v", boot, q.stopped, want)
		}
	}
}
