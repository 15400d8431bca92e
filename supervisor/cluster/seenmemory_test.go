package cluster

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// With too many kept authors the set of their names is cleared. For two windows every author may have entries then.
func TestFloodOfKeptAuthorsForgetsNoEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, asker := ruleSeen(), &message{head: head{from: "up", boot: 1}}
		s.handed = nil
		for i := range maxKeptAuthors {
			s.keep(fmt.Sprint(i))
		}
		if !s.hasEntries("0", asker) || s.hasEntries("another", asker) {
			t.Error("before: the first author has no entries, or one without messages has some")
		}
		s.keep("one more")
		if len(s.kept) != 1 || !s.hasEntries("0", asker) {
			t.Errorf("%d authors are kept; the first has entries: %v", len(s.kept), s.hasEntries("0", asker))
		}
		time.Sleep(2 * ruleWindow)
		if s.expire(); !s.hasEntries("0", asker) {
			t.Error("the first author has no entries two windows later")
		}
		time.Sleep(expireEvery)
		if s.expire(); s.hasEntries("0", asker) || len(s.kept) != 0 {
			t.Errorf("later: the first author has entries, %d are kept", len(s.kept))
		}
	})
}

// The author of a message is a part of a text with the other fields, which may have the size of a message. Kept authors
// take their own bytes only.
func TestKeptAuthorsReleaseTheirMessages(t *testing.T) {
	const authors, size = 256, 1 << 20
	s := ruleSeen()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for range 2 { // the second time the entries are there already
		for i := range authors {
			id := fmt.Sprintf("%08d", i)
			message := id + strings.Repeat("x", size)
			s.keep(message[:len(id)])
		}
	}
	if grown := int64(heap()) - int64(before); grown > 4<<20 {
		t.Errorf("%d authors of %d MiB messages take %d MiB", authors, size>>20, grown>>20)
	}
	if len(s.kept) != authors {
		t.Errorf("%d authors are kept, want %d", len(s.kept), authors)
	}
}

// A known author clears no full set.
func TestKnownAuthorClearsNoFullSet(t *testing.T) {
	s := ruleSeen()
	for i := range maxKeptAuthors {
		s.keep(fmt.Sprint(i))
	}
	if s.keep("0"); len(s.kept) != maxKeptAuthors || !s.flooded.IsZero() {
		t.Errorf("%d authors are kept after a known one, want %d", len(s.kept), maxKeptAuthors)
	}
}

// Former homes are forgotten after two windows, and are limited in number.
func TestFormerHomesAreForgottenAfterTwoWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, up := ruleSeen(), &member{name: "up", boot: 1}
		s.ended("peer", up, false)
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{ruleWindow + time.Second, 1}, {ruleWindow - time.Second, 1}, {1, 0}} {
			time.Sleep(step.wait)
			if s.expire(); len(s.former) != step.want || len(s.order) != step.want {
				t.Errorf("after %v more: %d peers, %d in order, want %d", step.wait, len(s.former), len(s.order), step.want)
			}
		}
		s.order = make([]formerPeer, maxFormerPeers)
		if s.ended("peer", up, true); len(s.former) != 0 || len(s.held["peer"]) != 1 {
			t.Errorf("at the limit: %d former homes of others, %d of a held peer", len(s.former), len(s.held["peer"]))
		}
	})
}

// With too many former homes, those that are not noted count for every author, for two windows: a member that is alive
// is asked, and after one that was killed, messages are stale.
func TestUnnotedFormerHomeCountsForEveryAuthor(t *testing.T) {
	for name, row := range map[string]struct {
		former string
		ask    []string
		stale  bool
	}{
		"alive":  {former: "up", ask: []string{"up"}},
		"killed": {former: "dead", stale: true},
		"left":   {former: "left"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, now := ruleSeen(), stamped{at: time.Now().Add(-6 * time.Second)}
			s.order = make([]formerPeer, maxFormerPeers)
			for i := range s.order {
				s.order[i].at = time.Now()
			}
			s.ended("peer", &member{name: row.former, boot: 1}, false)
			for _, home := range []*member{nil, {name: "up"}} {
				if ask, stale := s.consult("author", now, home); !slices.Equal(ask, row.ask) || stale != row.stale {
					t.Errorf("%s: asks %v, stale is %v, want %v, %v", name, ask, stale, row.ask, row.stale)
				}
			}
			if others := &(message{head: head{from: "new", boot: 1}}); !s.hasEntries("author", others) {
				t.Errorf("%s: says that no member has entries", name)
			}
			if ask := s.granted("author", time.Now()); !slices.Equal(ask, row.ask) {
				t.Errorf("%s: asks %v when it holds the author, want %v", name, ask, row.ask)
			}
			if _, stale := s.consult("author", now, s.self); stale != row.stale {
				t.Errorf("%s: stale is %v when it holds the author, want %v", name, stale, row.stale)
			}
			time.Sleep(2*ruleWindow + 1)
			if s.expire(); len(s.unnoted) != 0 || len(s.order) != 0 {
				t.Errorf("%s: %d members count two windows later, %d peers are noted", name, len(s.unnoted), len(s.order))
			}
		})
	}
}

// A member that has left without all its entries is told to others as a crash.
func TestIncompleteLeaveIsToldAsACrash(t *testing.T) {
	for _, complete := range []bool{true, false} {
		s := newSeen(&member{name: "self"}, newDirectory(&member{}))
		s.begin(ruleLocal{})
		s.left(&member{name: "up", boot: 1}, complete)
		age, _ := s.crashAge()
		if told := age > 0; told == complete || s.hasHandedOver(former{member: "up", boot: 1}) != complete {
			t.Errorf("complete: %v; told as a crash: %v", complete, told)
		}
	}
}
