package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// TestMergeAccountsForPeersThatMoveDuringABroadcast lets the member c broadcast while p moves from a to b.
func TestMergeAccountsForPeersThatMoveDuringABroadcast(t *testing.T) {
	a, b, c := &member{name: "a"}, &member{name: "b"}, &member{name: "c"}
	sent := func(m *member, n int) memberResult {
		return memberResult{member: m.name, MemberBroadcast: supervisor.MemberBroadcast{
			BroadcastResult: supervisor.BroadcastResult{Sent: n},
		}}
	}
	named := func(r memberResult, change func(*supervisor.MemberBroadcast)) memberResult {
		change(&r.MemberBroadcast)
		return r
	}
	gone := func(m *supervisor.MemberBroadcast) { m.Gone = []string{"p"} }
	moving := func(m *supervisor.MemberBroadcast) { m.Moving = []string{"p"} }
	relies := func(m *supervisor.MemberBroadcast) { m.Relies = []string{"a"} }
	fails := func(m *supervisor.MemberBroadcast) {
		m.Failed = []supervisor.SendFailure{{Peer: "p", Err: supervisor.ErrQueueFull}}
	}
	movingFrom := func(m *member) memberResult { return named(sent(m, 1), moving) }
	failing := memberResult{member: "a", err: errHomeSilent}
	nothing := func(*directory) {}
	claims := func(m *member, term uint64) func(*directory) { return func(d *directory) { d.set("p", m, term) } }
	releases := func(m *member) func(*directory) { return func(d *directory) { d.drop("p", m) } }
	loses := func(d *directory) { d.setLost(a, true) }
	for name, test := range map[string]struct {
		before, during func(*directory) // the changes that c hears; a holds p at first
		results        []memberResult
		want           string
	}{
		"stays": {nothing, nothing, []memberResult{sent(a, 1), sent(b, 0)}, "1"},
		"both count too many": {
			nothing, nothing, []memberResult{sent(a, math.MaxInt), sent(b, math.MaxInt)}, fmt.Sprint(math.MaxInt),
		},
		"both name it and count none": {
			nothing, nothing, []memberResult{named(sent(a, 0), moving), named(sent(b, 0), moving)}, "0",
		},
		"sent by both":                      {nothing, nothing, []memberResult{movingFrom(a), movingFrom(b)}, "1"},
		"left a before, b has it":           {nothing, nothing, []memberResult{named(sent(a, 0), gone), movingFrom(b)}, "1"},
		"left a before, came to b too late": {nothing, nothing, []memberResult{named(sent(a, 0), gone), sent(b, 0)}, "0 p"},
		"the same, c heard of it meanwhile": {
			nothing, releases(a), []memberResult{named(sent(a, 0), gone), sent(b, 0)}, "0 p",
		},
		"had left a before the broadcast": {releases(a), nothing, []memberResult{named(sent(a, 0), gone), sent(b, 0)}, "0"},
		"had left a, and came back to it": {
			releases(a), claims(a, 3), []memberResult{named(sent(a, 0), gone), sent(b, 0)}, "0 p",
		},
		"had left a, b has another connection": {
			releases(a), claims(b, 2), []memberResult{named(sent(a, 0), gone), named(sent(b, 0), relies)}, "0 p",
		},
		"a is silent":                        {nothing, nothing, []memberResult{failing, sent(b, 0)}, "0 p"},
		"a is silent, b has it":              {nothing, nothing, []memberResult{failing, movingFrom(b)}, "1"},
		"a is silent and leaves":             {nothing, releases(a), []memberResult{failing, sent(b, 0)}, "0 p"},
		"a is silent, p had moved to b":      {claims(b, 2), nothing, []memberResult{failing, sent(b, 1)}, "1"},
		"a is silent, p comes to b too late": {nothing, claims(b, 2), []memberResult{failing, sent(b, 0)}, "0 p"},
		"a was lost":                         {loses, nothing, []memberResult{sent(b, 0)}, "0"},
		"a was lost, b does not know it":     {loses, nothing, []memberResult{named(sent(b, 0), relies)}, "0 p"},
		"a has left, b does not know it":     {releases(a), claims(b, 2), []memberResult{named(sent(b, 0), relies)}, "0 p"},
		"a answers, and b relies on it":      {nothing, nothing, []memberResult{sent(a, 1), named(sent(b, 0), relies)}, "1"},
		"a and b fail": {
			nothing, nothing, []memberResult{named(sent(a, 0), fails), named(sent(b, 0), fails)}, "0 p",
		},
		"a has left, p was connected nowhere": {releases(a), nothing, []memberResult{named(sent(b, 0), relies)}, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDirectory(&member{})
				d.set("p", a, 1)
				time.Sleep(logKept + time.Second)
				d.expireLog(time.Now())
				test.before(d)
				time.Sleep(time.Millisecond)
				began := time.Now()
				time.Sleep(time.Millisecond)
				test.during(d)
				sum := merge(append(test.results, sent(c, 0)), d, "c", began)
				slices.SortFunc(sum.Failed, func(a, b supervisor.SendFailure) int { return cmp.Compare(a.Peer, b.Peer) })
				got := fmt.Sprint(sum.Sent)
				for _, f := range sum.Failed {
					got += " " + f.Peer
				}
				if got != test.want {
					t.Errorf("result %q, want %q", got, test.want)
				}
				a.lost = false
			})
		})
	}
}

// A broadcast that its own member refuses is refused. Another member may refuse it, too.
func TestMergeReportsTheOwnRefusal(t *testing.T) {
	refused := func(name string) memberResult {
		return memberResult{member: name, MemberBroadcast: supervisor.MemberBroadcast{
			BroadcastResult: supervisor.BroadcastResult{Refused: errors.New("refused by " + name)},
		}}
	}
	d := newDirectory(&member{})
	for self, want := range map[string]string{"a": "refused by a", "c": "<nil>"} {
		sum := merge([]memberResult{{member: "c"}, refused("a"), refused("b")}, d, self, time.Now())
		if got := fmt.Sprint(sum.Refused); got != want {
			t.Errorf("of %s: %s, want %s", self, got, want)
		}
	}
}

// The directory keeps its changes for five seconds, and the latest 262,144 of them. No memory is left of older ones.
func TestDirectoryForgetsItsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, a := newDirectory(&member{}), &member{name: "a"}
		for i := range 1000 {
			d.set(fmt.Sprint(i), a, uint64(i))
			d.set(fmt.Sprint(i), a, uint64(i)) // no change
			d.drop(fmt.Sprint(i), a)
		}
		if len(d.log) != 2000 {
			t.Errorf("%d changes, want 2000", len(d.log))
		}
		time.Sleep(time.Second)
		d.set("later", a, 1)
		time.Sleep(4 * time.Second)
		d.expireLog(time.Now())
		if len(d.log) != 2001 {
			t.Errorf("%d changes in the last 5 s, want 2001", len(d.log))
		}
		d.expireLog(time.Now().Add(1))
		if len(d.log) != 1 || d.log[0].peer != "later" {
			t.Errorf("%d changes later, want the last one", len(d.log))
		}
		d.expireLog(time.Now().Add(time.Second + 1))
		if d.log != nil {
			t.Errorf("%d changes 5 s after the last one", len(d.log))
		}
		d.log = make([]changed, maxLog-1)
		d.set("further", a, 1)
		d.set("last", a, 1)
		if n := len(d.log); n != 1<<18 || d.log[n-1].peer != "last" || d.log[n-2].peer != "further" {
			t.Errorf("%d changes, want the latest %d", n, 1<<18)
		}
	})
}
