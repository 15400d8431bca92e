package cluster

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

const (
	ruleWindow = 5 * time.Minute
	ruleSkew   = time.Second
)

// ruleLocal is a member of which only the clock and the window count.
type ruleLocal struct{ supervisor.ClusterLocal }

func (ruleLocal) Clock() time.Time          { return time.Now() }
func (ruleLocal) SeenWindow() time.Duration { return ruleWindow }

// ruleSeen returns the knowledge of member "self" about four others: "up" is alive, "dead" is lost since five seconds,
// "left" has handed its entries over, and of "gone" nothing else is known. The boot of each is 1.
func ruleSeen() *seen {
	s := newSeen(&member{name: "self", boot: 1}, newDirectory(&member{}))
	s.begin(ruleLocal{})
	s.clocks["teller"] = ruleSkew
	lost := s.now("dead", 1)
	lost.ended = lost.ended.Add(-5 * time.Second)
	s.members = map[string]standing{"up": {boot: 1}, "new": {}, "dead": {boot: 1, lost: lost}}
	s.handed = map[string]former{"left": s.now("left", 1)}
	return s
}

// The rows are about one former home or keeper of an author that this member holds, and a message of the author.
// ended is the time since the end of the former home, stamp the time from that end to the message's stamp. The clock of
// the former home is ahead by ruleSkew, and that of the author may be.
func TestConsultFollowsTheRule(t *testing.T) {
	const window, skew, nothing, asks, stale = ruleWindow, ruleSkew, "nothing", "asks", "stale"
	for _, row := range []struct {
		name   string
		former former
		ended  time.Duration
		stamp  time.Duration
		want   string
	}{
		{"alive, stamped before its end", former{member: "up", boot: 1}, time.Second, -time.Second, asks},
		{"alive, stamped one window after its end", former{member: "up", boot: 1}, time.Second, window + skew, asks},
		{"alive, stamped later", former{member: "up", boot: 1}, time.Second, window + skew + 1, nothing},
		{"alive, two windows ago", former{member: "up", boot: 1}, 2 * window, 0, asks},
		{"alive, earlier", former{member: "up", boot: 1}, 2*window + 1, 0, nothing},
		{"an earlier start", former{member: "up", boot: 9}, time.Second, 0, stale},
		{"its start is not known here", former{member: "new", boot: 9}, time.Second, 0, asks},
		{"its start was not known then", former{member: "up"}, time.Second, 0, asks},
		{"lost, stamped before its end", former{member: "dead", boot: 1}, time.Second, skew, stale},
		{"lost, stamped later", former{member: "dead", boot: 1}, time.Second, skew + 1, nothing},
		{"lost, one window ago", former{member: "dead", boot: 1}, window, 0, stale},
		{"lost, earlier", former{member: "dead", boot: 1}, window + 1, 0, nothing},
		{"unknown, stamped before its end", former{member: "gone", boot: 1}, time.Second, 0, stale},
		{"handed over", former{member: "left", boot: 1}, time.Second, 0, nothing},
		{"an earlier start handed over", former{member: "left", boot: 9}, time.Second, 0, stale},
		// A keeper that is lost since 5 s has kept nothing that was stamped since.
		{"lost keeper, stamped before", former{member: "dead", boot: 1, keeper: true}, 0, skew - 5*time.Second, stale},
		{"lost keeper, stamped after", former{member: "dead", boot: 1, keeper: true}, 0, skew - 5*time.Second + 1, nothing},
		{"lost home, stamped after", former{member: "dead", boot: 1}, 0, skew - 5*time.Second + 1, stale},
		{"another start of a keeper", former{member: "dead", boot: 9, keeper: true}, 0, skew - 5*time.Second + 1, stale},
		{"keeper before its loss", former{member: "dead", boot: 1, keeper: true}, time.Minute, skew + 1, nothing},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := ruleSeen()
			f := row.former
			f.at, f.ended, f.ahead = time.Now().Add(-row.ended), time.Now().Add(-row.ended), ruleSkew
			s.held["author"] = []former{f}
			ask, isStale := s.consult("author", stamped{at: f.ended.Add(row.stamp)}, s.self)
			got := nothing
			switch {
			case isStale:
				got = stale
			case slices.Equal(ask, []string{f.member}):
				got = asks
			case len(ask) > 0:
				t.Errorf("%s: asks %q", row.name, ask)
			}
			if got != row.want {
				t.Errorf("%s: %s, want %s", row.name, got, row.want)
			}
		})
	}
}

// A member that did not see a crash refuses messages stamped before it for one window.
func TestCrashIsHeardForOneWindow(t *testing.T) {
	const window = ruleWindow
	for _, row := range []struct {
		name           string
		age            uint64        // in the heartbeat
		later          time.Duration // until the message
		stamp          time.Duration // from the crash
		stale, tellsOn bool
	}{
		{"none", 0, 0, 0, false, false},
		{"just now", 1, 0, time.Minute, true, true},
		{"just now, stamped later", 1, 0, time.Minute + 1, false, true},
		{"one window ago", uint64(window.Milliseconds()), time.Millisecond, 0, true, true},
		{"earlier", uint64(window.Milliseconds()), 2 * time.Millisecond, 0, false, false},
		{"too old in the heartbeat", uint64(window.Milliseconds()) + 1, 0, 0, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := ruleSeen()
			crash := time.Now().Add(-time.Duration(max(row.age, 1)-1) * time.Millisecond)
			s.heardCrash("teller", row.age, time.Minute-ruleSkew) // ahead of the member that tells it
			time.Sleep(row.later)
			if _, got := s.consult("author", stamped{at: crash.Add(row.stamp)}, s.self); got != row.stale {
				t.Errorf("%s: stale is %v, want %v", row.name, got, row.stale)
			}
			age, ahead := s.crashAge()
			if got := age > 0; got != row.tellsOn || got && ahead != time.Minute {
				t.Errorf("%s: tells others: %v, want %v; ahead by %v", row.name, got, row.tellsOn, ahead)
			}
		})
	}
}

// One of several asked members answers that a message is a duplicate, and another does not answer: it is a duplicate. A
// member that has stopped ends no check, but the message is stale if nothing else is known about it.
func TestDuplicateCountsBesideAMissingAnswer(t *testing.T) {
	missing, duplicate := result{err: context.DeadlineExceeded}, result{answer: checked{verdict: seenDuplicate}}
	stopped, fresh := result{err: ErrNoResponders}, result{answer: checked{verdict: seenFresh}}
	restarted := result{asked: startOf{"a", 1}, answer: checked{verdict: seenFresh, boot: 2}}
	for name, row := range map[string]struct {
		answers []result
		want    actors.Verdict
		ended   bool
	}{
		"first":                {[]result{duplicate, missing, fresh}, actors.Duplicate, true},
		"last":                 {[]result{missing, fresh, duplicate}, actors.Duplicate, true},
		"no answer":            {[]result{missing, fresh}, actors.Unanswered, true},
		"stopped":              {[]result{stopped, fresh}, actors.Stale, false},
		"restarted":            {[]result{restarted, fresh}, actors.Stale, false},
		"stopped, no answer":   {[]result{stopped, missing}, actors.Stale, true},
		"no answer, stopped":   {[]result{missing, stopped}, actors.Stale, true},
		"stopped, duplicate":   {[]result{stopped, duplicate}, actors.Duplicate, true},
		"restarted, duplicate": {[]result{restarted, duplicate}, actors.Duplicate, true},
	} {
		q := &inquiry{check: &supervisor.SeenCheck{Verdict: actors.Unanswered}}
		for _, answer := range row.answers {
			q.take(answer)
		}
		if q.ended != row.ended || q.check.Verdict != row.want {
			t.Errorf("%s: ended %v, %v, want %v, %v", name, q.ended, q.check.Verdict, row.ended, row.want)
		}
	}
}
