package cluster_test

import (
	"bytes"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A term near the end of its range must not become the clock of the others: their next terms would wrap to zero.
func TestTermsFarAheadAreIgnored(t *testing.T) {
	for _, term := range []uint64{1<<62 - 1, 1 << 60} { // larger ones are not decoded
		inWorld(t, "a b", func(t *testing.T, w *world) {
			r := w.rogue("r", 99, nil)
			r.beats(2 * time.Second)
			r.update(r.next(), claim{"far", term}, claim{"near", 5})
			time.Sleep(10 * time.Millisecond)
			if home, _ := w.members["a"].engine.Home("near"); home != "r" {
				t.Errorf("the home of the peer with a term of 5 is %q", home)
			}
			v, _ := w.members["a"].connect("peer")
			if !v.Granted || v.Term == 0 || v.Term > 1000 {
				t.Errorf("verdict %+v after a term of %d", v, term)
			}
			if far, _ := w.members["a"].connect("far"); !far.Granted {
				t.Errorf("the peer with a term far ahead cannot be claimed: %+v", far)
			}
			time.Sleep(10 * time.Millisecond)
			for _, peer := range []string{"peer", "far"} {
				if home, _ := w.members["b"].engine.Home(peer); home != "a" {
					t.Errorf("b sees %s at %q, want a", peer, home)
				}
			}
		})
	}
}

// Numbers far ahead in a member's sequence must not make its later messages ignored.
func TestSequenceRecoversFromANumberFarAhead(t *testing.T) {
	for _, seq := range []uint64{0, 1 << 40, math.MaxUint64} {
		inWorld(t, "a", func(t *testing.T, w *world) {
			r := w.rogue("r", 99, nil)
			r.beats(2 * time.Second)
			r.update(seq, claim{"wrong", 3})
			r.beats(2 * time.Second)
			r.update(r.next(), claim{"right", 4})
			time.Sleep(10 * time.Millisecond)
			if home, _ := w.members["a"].engine.Home("right"); home != "r" {
				t.Errorf("after the number %d later claims are ignored", seq)
			}
		})
	}
}

// A snapshot that ends early, because the member has dropped it, is fetched again: it must not hide the claims after
// its end.
func TestShortSnapshotIsFetchedAgain(t *testing.T) {
	inWorld(t, "a", func(t *testing.T, w *world) {
		r := w.rogue("r", 99, func(r *rogue, offset uint64) []byte {
			switch {
			case offset == 0:
				return r.page(0, 2, claim{"first", 1})
			case r.asked.Load() < 4:
				return r.page(1, 0) // the snapshot was dropped
			default:
				return r.page(1, 2, claim{"second", 2})
			}
		})
		r.beats(3 * time.Second)
		for _, peer := range []string{"first", "second"} {
			if home, _ := w.members["a"].engine.Home(peer); home != "r" {
				t.Errorf("%s is at %q after %d questions", peer, home, r.asked.Load())
			}
		}
	})
}

// Two processes of one name that meet after their start: the others follow the later one, log once, and fetch no
// snapshot for each message.
func TestSecondProcessOfANameDoesNotAlternate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		var written bytes.Buffer
		w.log = slog.New(slog.NewTextHandler(&written, nil))
		w.start("a")
		second := w.rogue("twin", 99, nil) // the bus asks the process that has subscribed first
		first := w.rogue("twin", 98, nil)
		first.beats(3 * time.Second)
		for range 40 {
			first.beat(time.Now().UnixNano())
			second.beat(time.Now().UnixNano())
			time.Sleep(250 * time.Millisecond)
		}
		synctest.Wait()
		if n := strings.Count(written.String(), "a member is alive"); n != 2 {
			t.Errorf("%d lines, want one for each of two starts:\n%s", n, written.String())
		}
		if n := first.asked.Load() + second.asked.Load(); n > 15 { // 10 before the second process speaks
			t.Errorf("%d snapshots fetched", n)
		}
		// The later one ends; the other is the member again.
		second.bus.Kill()
		first.beats(5 * time.Second)
		first.update(first.next(), claim{"peer", 7})
		time.Sleep(10 * time.Millisecond)
		if home, _ := w.members["a"].engine.Home("peer"); home != "twin" {
			t.Errorf("after the end of the later process the home is %q", home)
		}
	})
}

// The clock of a third member makes messages stale after a crash only if the author's clock may agree with it: it is
// ahead by at most three windows.
func TestWrongClockMakesNothingStale(t *testing.T) {
	for name, row := range map[string]struct {
		clock func(time.Time) int64
		stale bool
	}{
		"zero":           {clock: func(time.Time) int64 { return 0 }},
		"largest":        {clock: func(time.Time) int64 { return math.MaxInt64 }},
		"smallest":       {clock: func(time.Time) int64 { return math.MinInt64 }},
		"an hour ahead":  {clock: func(now time.Time) int64 { return now.Add(time.Hour).UnixNano() }},
		"a minute ahead": {func(now time.Time) int64 { return now.Add(time.Minute).UnixNano() }, true},
	} {
		inWorld(t, "a b", func(t *testing.T, w *world) {
			r := w.rogue("r", 99, nil)
			w.members["a"].connect("author")
			for range 10 {
				r.beat(row.clock(time.Now()))
				time.Sleep(250 * time.Millisecond)
			}
			settle() // the last heartbeat of a has arrived
			w.kill("a")
			w.members["b"].connect("author")
			time.Sleep(time.Second)
			r.beat(row.clock(time.Now()))
			if v, delivered := w.members["b"].receive("author", w.message("1", "author")); delivered == row.stale {
				t.Errorf("%s: verdict %v about a message stamped after the crash", name, v)
			}
		})
	}
}
