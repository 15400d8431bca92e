package cluster

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// The answer of a keeper without entries removes it from the former homes of a peer here, whose messages then need no
// checks. Answers with entries, and those of other members and of another start, remove none.
func TestKeeperWithoutEntriesIsForgotten(t *testing.T) {
	for _, row := range []struct {
		name    string
		former  former
		entries bool
		own     bool // the peer is here
		kept    bool
	}{
		{"none", former{member: "a", boot: 1, keeper: true}, false, true, false},
		{"none, the peer has left", former{member: "a", boot: 1, keeper: true}, false, false, false},
		{"entries", former{member: "a", boot: 1, keeper: true}, true, true, true},
		{"home", former{member: "a", boot: 1}, false, true, true},
		{"another member", former{member: "b", boot: 1, keeper: true}, false, true, true},
		{"another start", former{member: "a", boot: 7, keeper: true}, false, true, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, _, _ := historySeen()
			const before = 5
			checked := &author{}
			checked.state.CheckUntil.Store(before)
			row.former.ended, row.former.at = time.Now(), time.Now()
			s.authors["peer"], s.held["peer"] = checked, []former{row.former}
			if row.own {
				s.directory.set("peer", s.self, 1)
			}
			s.answered("peer", startOf{"a", 1}, row.entries)
			want := int64(before)
			switch {
			case row.own && row.kept:
				want = time.Now().Add(ruleWindow + 30*time.Millisecond).UnixNano()
			case row.own:
				want = math.MinInt64
			}
			_, kept := s.held["peer"]
			if until := checked.state.CheckUntil.Load(); kept != row.kept || until != want {
				t.Errorf("%s: kept: %v; checked until %d, want %d", row.name, kept, until, want)
			}
		})
	}
}

// A peer that has left is kept, and its messages need the answer of its next home.
func TestFreedPeerIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := historySeen()
		checked := &author{}
		s.authors["peer"], s.held["peer"] = checked, []former{{member: "a", at: time.Now()}}
		s.freed("peer")
		if _, held := s.held["peer"]; held || !s.kept["peer"].Equal(time.Now()) || !checked.state.Elsewhere() {
			t.Errorf("held: %v; kept since %v; elsewhere: %v", held, s.kept["peer"], checked.state.Elsewhere())
		}
	})
}

// Knowledge of former homes, keepers and members that have left is kept for two windows, and removed within ten seconds
// from then on.
func TestHistoryExpiresAfterTwoWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, _ := historySeen()
		s.earlier = nil
		s.addEarlier([]string{"a"})
		s.join()
		s.left(a, true)
		s.held["peer"] = []former{s.now("a", 1)}
		s.held["other"] = []former{s.now("a", 1), s.now("b", 1)}
		s.held["other"][1].at = time.Now().Add(time.Minute)
		sizes := func() [5]int {
			s.expire()
			return [5]int{len(s.earlier), len(s.missed), len(s.handed), len(s.held), len(s.held["other"])}
		}
		for _, step := range []struct {
			wait time.Duration
			want [5]int
		}{
			{2 * ruleWindow, [5]int{1, 2, 1, 2, 2}},
			{expireEvery - 1, [5]int{1, 2, 1, 2, 2}},
			{1, [5]int{0, 0, 0, 1, 1}},
			{time.Minute, [5]int{}},
		} {
			time.Sleep(step.wait)
			if got := sizes(); got != step.want {
				t.Errorf("%v later: %v earlier sets, missed and left members, held peers, former homes; want %v",
					step.wait, got, step.want)
			}
		}
	})
}

// This member tells that there may be entries of an author if another one than the asker, or this one, may have them.
func TestEntriesOfTheAskerItselfDoNotCount(t *testing.T) {
	for name, row := range map[string]struct {
		prepare func(s *seen, a, b *member)
		want    bool
	}{
		"none":      {func(*seen, *member, *member) {}, false},
		"the asker": {func(s *seen, a, _ *member) { s.ended("peer", a, false) }, false},
		"its earlier start": {func(s *seen, _, _ *member) {
			s.ended("peer", &member{name: "a", boot: 7}, false)
		}, true},
		"another member":      {func(s *seen, _, b *member) { s.ended("peer", b, false) }, true},
		"handed over to both": {func(s *seen, _, b *member) { s.left(b, true) }, false},
		"handed over before its start": {func(s *seen, a, b *member) {
			s.left(b, true)
			time.Sleep(time.Nanosecond)
			a.boot = 2
			s.take(a, b)
		}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, a, b := historySeen()
			row.prepare(s, a, b)
			asker := &message{head: head{from: "a", boot: a.boot}}
			for _, wait := range []time.Duration{0, ruleWindow} {
				if got := s.hasEntries("peer", asker); got != row.want {
					t.Errorf("%s: entries: %v", name, got)
				}
				time.Sleep(wait)
			}
		})
	}
}
