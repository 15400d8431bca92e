package cluster

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// historySeen returns the knowledge of member "self" about the members a and b, of boot 1, which are alive and 30 ms
// ahead of this one.
func historySeen() (s *seen, a, b *member) {
	s = newSeen(&member{name: "self", boot: 9}, newDirectory(&member{name: "self"}))
	s.begin(ruleLocal{})
	a, b = &member{name: "a", boot: 1}, &member{name: "b", boot: 1}
	s.heardOf(a, b)
	s.noteClock("a", 30*time.Millisecond)
	s.noteClock("b", 30*time.Millisecond)
	return s, a, b
}

// heardOf takes over members that were heard just now.
func (s *seen) heardOf(members ...*member) {
	for _, m := range members {
		if !m.lost {
			m.heard = time.Now()
		}
	}
	s.take(members...)
}

func (s *seen) take(members ...*member) {
	byName := map[string]*member{"self": s.self}
	for _, m := range members {
		byName[m.name] = m
	}
	s.update(byName, time.Now(), true)
}

// A member that is lost has ended between its last heartbeat and the next one that it would have sent. The return of
// the same start is no crash: its entries are there, and it may have held peers meanwhile.
func TestLossIsACrashUntilTheReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := historySeen()
		heard := time.Now()
		time.Sleep(3 * time.Second)
		a.lost = true
		s.heardOf(a, b)
		want := heard.Add(beatEvery)
		lost := s.members["a"].lost
		if lost.member != "a" || !lost.ended.Equal(want) || !s.crash.ended.Equal(want) || !s.crash.at.Equal(want) {
			t.Errorf("lost: %+v, crash %+v, want the end %v", lost, s.crash, want)
		}
		time.Sleep(time.Second)
		if s.heardOf(a, b); s.members["a"].lost != lost || !s.crash.at.Equal(want) || len(s.missed) != 0 {
			t.Errorf("a second later: %+v, crash %+v, %d missed members", s.members["a"].lost, s.crash, len(s.missed))
		}
		if !slices.Equal(s.live, []string{"b", "self"}) {
			t.Errorf("the members %q are alive", s.live)
		}
		a.lost = false
		s.heardOf(a, b)
		missed := s.missed[startOf{"a", 1}]
		if len(s.missed) != 1 || !missed.keeper || !missed.at.Equal(time.Now()) || !s.crash.at.Equal(want) {
			t.Errorf("after the return: missed %+v, crash %+v", s.missed, s.crash)
		}
		if s.members["a"].lost.member != "" || !slices.Equal(s.live, []string{"a", "b", "self"}) {
			t.Errorf("after the return: %+v, the members %q are alive", s.members["a"], s.live)
		}
	})
}

// The restart of a member that was not lost is a crash at that moment. After a loss, the loss is the crash. A start
// that becomes known is none.
func TestRestartIsACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := historySeen()
		time.Sleep(time.Minute)
		a.boot = 2
		s.heardOf(a, b)
		restarted := time.Now()
		if !s.crash.at.Equal(restarted) || !s.members["a"].at.Equal(restarted) || len(s.missed) != 0 {
			t.Errorf("crash %+v, start %v, %d missed members", s.crash, s.members["a"].at, len(s.missed))
		}
		if first := s.members["b"].at; !first.Equal(restarted.Add(-time.Minute)) {
			t.Errorf("the start of b was heard at %v", first)
		}
		time.Sleep(time.Second)
		a.lost = true
		s.heardOf(a, b)
		crash := s.crash
		time.Sleep(time.Second)
		a.lost, a.boot = false, 3
		s.heardOf(a, b)
		if s.crash != crash || !s.members["a"].at.Equal(time.Now()) || len(s.missed) != 0 {
			t.Errorf("after a loss: crash %+v, want %+v; %d missed members", s.crash, crash, len(s.missed))
		}
		c := &member{name: "c"}
		s.heardOf(a, b, c)
		heard := time.Now()
		time.Sleep(time.Second)
		c.boot = 1
		s.heardOf(a, b, c)
		if s.crash != crash || !s.members["c"].at.Equal(heard) || s.members["c"].boot != 1 {
			t.Errorf("a start becomes known: crash %+v, %+v", s.crash, s.members["c"])
		}
	})
}

// Of several crashes the last one counts: a loss that is noticed after it, or a crash that another member tells, may
// have been before.
func TestLastCrashCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := historySeen()
		time.Sleep(2 * time.Second)
		a.boot = 2
		s.take(a, b)
		crash := s.crash
		time.Sleep(500 * time.Millisecond)
		b.lost = true
		s.take(a, b)
		if ended := time.Now().Add(beatEvery - 2500*time.Millisecond); s.crash != crash ||
			!s.members["b"].lost.ended.Equal(ended) {
			t.Errorf("after the loss: crash %+v, want %+v; lost %+v", s.crash, crash, s.members["b"].lost)
		}
		if s.heardCrash("a", 1000, 0); s.crash != crash {
			t.Errorf("after an earlier one of another member: crash %+v, want %+v", s.crash, crash)
		}
		if s.left(b, false); s.crash.at.Equal(crash.at) || s.crash.member != "b" {
			t.Errorf("after an incomplete leave: crash %+v", s.crash)
		}
	})
}

// Each former set of live starts is kept once, with the clocks of that time, from the end of Join on. The seventeenth
// is forgotten: its keepers count as crashed.
func TestEarlierSetsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := historySeen()
		s.earlier = nil
		for range 3 {
			for _, lost := range []bool{true, false} {
				time.Sleep(time.Second)
				a.lost = lost
				s.heardOf(a, b)
			}
		}
		if len(s.earlier) != 2 || len(s.earlier[0].names) != 2 || !s.earlier[0].ended.at.Equal(time.Now()) {
			t.Errorf("%d sets after six changes between two, the last %+v", len(s.earlier), s.earlier[0])
		}
		if want := map[string]uint64{"self": 0, "b": 1}; !maps.Equal(s.earlier[0].boots, want) {
			t.Errorf("the last set is of %v, want %v", s.earlier[0].boots, want)
		}
		s.noteClock("b", time.Hour)
		if ahead := s.earlier[0].clocks["b"]; ahead != 30*time.Millisecond {
			t.Errorf("the clock of the last set is ahead by %v", ahead)
		}
		s.heardOf(a, b)
		if len(s.earlier) != 2 {
			t.Errorf("%d sets without a change", len(s.earlier))
		}
		oldest := s.earlier[0].ended // the other set is that of now
		checked := &author{}
		s.authors["peer"] = checked
		for i := range maxEarlier {
			if len(s.earlier) > maxEarlier || !s.unseen.at.IsZero() {
				t.Fatalf("%d sets, a crash at %v", len(s.earlier), s.unseen.at)
			}
			time.Sleep(time.Second)
			a.boot = uint64(10 + i)
			s.heardOf(a, b)
		}
		if len(s.earlier) != maxEarlier || s.unseen != oldest {
			t.Errorf("%d sets, a crash %+v, want one at %v", len(s.earlier), s.unseen, oldest.at)
		}
		if until := checked.state.CheckUntil.Load(); until != oldest.ended.Add(30*time.Millisecond).UnixNano() {
			t.Errorf("messages of a peer are checked if stamped until %v, want 30 ms after %v", until, oldest.ended)
		}
		s.heardCrash("a", 1, 0)
		crash := s.unseen
		a.boot = 99
		if s.heardOf(a, b); s.unseen != crash {
			t.Errorf("a set before the last crash is forgotten: the crash is %+v, want %+v", s.unseen, crash)
		}
		s.update(map[string]*member{"b": b}, time.Now(), false)
		if s.earlier[0].boots["a"] == a.boot || len(s.clocks) != 1 {
			t.Errorf("before the end of Join: a further set; %d clocks of 1 member", len(s.clocks))
		}
	})
}

// A member that joins has missed the moves at the members that are alive.
func TestJoinMissesLivingMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, a, b := historySeen()
		b.lost = true
		s.heardOf(a, b)
		s.join()
		want := former{member: "a", boot: 1, ended: time.Now(), at: time.Now(), ahead: 30 * time.Millisecond, keeper: true}
		if missed := s.missed[startOf{"a", 1}]; len(s.missed) != 1 || missed != want || !s.joined.Equal(time.Now()) {
			t.Errorf("missed %+v, joined at %v", s.missed, s.joined)
		}
	})
}

// Former homes of the last two windows are kept, one for each start of a member, with its latest end. It may have no
// entries only if all say so. Of more than 32, the latest are kept, and all keepers.
func TestTidyKeepsTheLatestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := historySeen()
		now := time.Now()
		at := func(member string, boot uint64, ago time.Duration, keeper bool) former {
			return former{member: member, boot: boot, ended: now.Add(-ago), at: now.Add(-ago), ahead: ago, keeper: keeper}
		}
		early, late := at("a", 1, time.Minute, true), at("a", 1, time.Second, false)
		merged := late
		for name, row := range map[string]struct{ list, want []former }{
			"later end second": {[]former{early, late}, []former{merged}},
			"later end first":  {[]former{late, early}, []former{merged}},
			"two keepers":      {[]former{early, at("a", 1, 0, true)}, []former{at("a", 1, 0, true)}},
			"another start":    {[]former{early, at("a", 2, 0, true)}, []former{early, at("a", 2, 0, true)}},
			"another member":   {[]former{early, at("b", 1, 0, true)}, []former{early, at("b", 1, 0, true)}},
			"two windows":      {[]former{at("a", 1, 2*ruleWindow, false)}, []former{at("a", 1, 2*ruleWindow, false)}},
			"more":             {[]former{at("a", 1, 2*ruleWindow+1, false)}, nil},
		} {
			if got := s.tidy(row.list); !slices.Equal(got, row.want) {
				t.Errorf("%s: %+v, want %+v", name, got, row.want)
			}
		}
		var list []former
		for i := range maxFormer + 1 { // the first one is the oldest
			list = append(list, at(fmt.Sprint(i), 1, time.Hour/100-time.Duration(i)*time.Second, false))
			list = append(list, at(fmt.Sprint("keeper", i), 1, time.Minute, true))
		}
		if full := s.tidy(slices.Clone(list[2:])); len(full) != 2*maxFormer {
			t.Errorf("%d of %d former homes and keepers are kept at the limit", len(full), 2*maxFormer)
		}
		kept := s.tidy(slices.Clone(list))
		if len(kept) != 2*maxFormer+1 || slices.Contains(kept, list[0]) || !slices.Contains(kept, list[1]) {
			t.Errorf("%d are kept, the oldest: %v", len(kept), slices.Contains(kept, list[0]))
		}
	})
}

// The difference between two clocks is limited, so that times can be computed with it.
func TestClocksAreBounded(t *testing.T) {
	s, _, _ := historySeen()
	for ahead, want := range map[time.Duration]time.Duration{
		math.MaxInt64: maxSkew, maxSkew: maxSkew, -maxSkew: -maxSkew, math.MinInt64: -maxSkew, time.Hour: time.Hour,
	} {
		if s.noteClock("a", ahead); s.clocks["a"] != want {
			t.Errorf("%v: noted as %v, want %v", ahead, s.clocks["a"], want)
		}
	}
}
