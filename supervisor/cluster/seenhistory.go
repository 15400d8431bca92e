package cluster

import (
	"maps"
	"math"
	"slices"
	"time"
)

// update takes over the states of the other members at a moment of the running clock. joined: this member knows all of
// them.
func (s *seen) update(members map[string]*member, running time.Time, joined bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	live, changed := []string{s.self.name}, false
	next := make(map[string]standing, len(members))
	for name, m := range members {
		if m == s.self {
			continue
		}
		before, known := s.members[name]
		now := standing{boot: m.boot, at: before.at}
		if !known || before.boot != 0 && before.boot != m.boot {
			now.at = time.Now()
		}
		switch {
		case !m.lost:
			live = append(live, name)
			switch restarted := before.boot != m.boot && before.boot != 0; {
			case known && restarted:
				changed = true
				if before.lost.member == "" { // otherwise the loss was the crash
					s.noteCrash(s.now(name, before.boot))
				}
			case before.lost.member != "":
				s.miss(name, m.boot)
			}
		case before.lost.member == "":
			now.lost = s.now(name, m.boot)
			// It may have ended after its last message, but not later than now.
			earlier := min(beatEvery-running.Sub(m.heard), 0)
			now.lost.ended = now.lost.ended.Add(earlier)
			crash := now.lost
			crash.at = crash.at.Add(earlier)
			s.noteCrash(crash)
		default:
			now.lost = before.lost
		}
		next[name] = now
	}
	slices.Sort(live)
	if joined && (changed || !slices.Equal(live, s.live)) {
		s.addEarlier(s.live)
	}
	s.live, s.members = live, next
	maps.DeleteFunc(s.clocks, func(name string, _ time.Duration) bool { return members[name] == nil })
}

// join notes that until now the other members have held and kept peers without the knowledge of this one.
func (s *seen) join() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.joined = time.Now()
	for name, m := range s.members {
		if m.lost.member == "" {
			s.miss(name, m.boot)
		}
	}
}

// miss notes that until now a member may have held and kept any peer without the knowledge of this one.
func (s *seen) miss(name string, boot uint64) {
	f := s.now(name, boot)
	f.keeper = true
	s.missed[startOf{name, boot}] = f
}

func (s *seen) addEarlier(names []string) {
	set := liveSet{
		names: names, boots: make(map[string]uint64, len(names)), clocks: maps.Clone(s.clocks), ended: s.now("", 0),
	}
	for _, name := range names {
		set.boots[name] = s.members[name].boot
	}
	s.earlier = slices.DeleteFunc(s.earlier, func(o liveSet) bool { return maps.Equal(o.boots, set.boots) })
	s.earlier = slices.Insert(s.earlier, 0, set)
	if len(s.earlier) > maxEarlier { // forgotten: its keepers count as crashed
		s.noteUnseen(s.earlier[maxEarlier].ended)
		s.earlier = s.earlier[:maxEarlier]
	}
}

// granted notes that this member holds a peer from now on. claimed is the time of the claim on the clock of messages.
// granted returns the keepers that may have entries.
func (s *seen) granted(peer string, claimed time.Time) (ask []string) {
	others := s.directory.others(peer, s.self)
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []former
	for _, m := range others {
		f := s.now(m.name, m.boot)
		if m.lost { // messages of the time since the claim came to this member only
			f.ended = claimed
		}
		list = append(list, f)
	}
	list = append(list, s.former[peer]...)
	list = slices.AppendSeq(list, maps.Values(s.unnoted))
	list = append(list, s.keepers(peer)...)
	if keeper := rendezvous(s.live, peer); keeper != s.self.name {
		now := s.now(keeper, s.members[keeper].boot)
		now.keeper = true
		list = append(list, now)
	}
	s.held[peer] = s.tidy(list)
	for _, f := range s.held[peer] {
		if f.keeper && s.reachable(f) {
			ask = append(ask, f.member)
		}
	}
	s.updateAuthor(peer)
	return ask
}

// tidy removes former homes without entries of the last two windows, and all but the latest end of each.
func (s *seen) tidy(list []former) (kept []former) {
	for _, f := range list {
		same := slices.IndexFunc(kept, func(o former) bool { return o.member == f.member && o.boot == f.boot })
		switch {
		case time.Since(f.at) > 2*s.window:
			continue
		case same < 0:
			kept = append(kept, f)
			continue
		}
		known := &kept[same]
		known.keeper = known.keeper && f.keeper
		if f.at.After(known.at) {
			known.at, known.ended, known.ahead = f.at, f.ended, f.ahead
		}
	}
	if len(kept) <= maxFormer {
		return kept
	}
	slices.SortStableFunc(kept, func(a, b former) int { return b.at.Compare(a.at) })
	homes := 0
	return slices.DeleteFunc(kept, func(f former) bool {
		homes += int(1 - flag(f.keeper))
		return !f.keeper && homes > maxFormer
	})
}

// updateAuthor sets the time until which the connections of a peer that this member holds need checks: one window after
// the end of its last former home, and for one window the time of the last crash that this member has not seen.
func (s *seen) updateAuthor(peer string) {
	a := s.authors[peer]
	if a == nil {
		return
	}
	until := int64(math.MinInt64)
	if time.Since(s.unseen.at) <= s.window {
		until = s.unseen.ended.Add(s.margin(s.unseen, stamped{})).UnixNano()
	}
	for _, f := range s.held[peer] {
		until = max(until, f.ended.Add(s.window+s.margin(f, stamped{})).UnixNano())
	}
	a.state.CheckUntil.Store(until)
}

// freed notes that this member holds a peer no longer.
func (s *seen) freed(peer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, peer)
	s.keep(peer)
	if a := s.authors[peer]; a != nil {
		a.state.CheckUntil.Store(math.MaxInt64)
	}
}

// ended notes that another member has held a peer until now, or until its loss. own: this member holds it. With too
// many of them in two windows, that member counts as a former home of every author.
func (s *seen) ended(peer string, m *member, own bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.now(m.name, m.boot)
	if lost := s.members[m.name].lost; m.gone && lost.member != "" {
		f = lost
	}
	if own {
		s.held[peer] = s.tidy(append(s.held[peer], f))
		s.updateAuthor(peer)
	}
	if len(s.order) >= maxFormerPeers {
		f.keeper = true
		s.unnoted[startOf{f.member, f.boot}] = f
		return
	}
	s.former[peer] = s.tidy(append(s.former[peer], f))
	s.order = append(s.order, formerPeer{peer, f.at})
}

// answered notes the answer of a start of a keeper about a peer that this member holds: whether it has entries.
func (s *seen) answered(peer string, keeper startOf, entries bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[peer] = slices.DeleteFunc(s.held[peer], func(f former) bool {
		return f.keeper && startOf{f.member, f.boot} == keeper && !entries // an earlier start of it is another keeper
	})
	if len(s.held[peer]) == 0 {
		delete(s.held, peer)
	}
	if _, own := s.directory.termOf(peer, s.self); own {
		s.updateAuthor(peer)
	}
}

// hasEntries reports whether this member, or one that it knows of beside the asker, may have entries of an author that
// this member does not hold.
func (s *seen) hasEntries(author string, asker *message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, kept := s.kept[author]
	for _, handed := range s.handed { // to this member, not to the asker
		kept = kept || handed.at.Before(s.members[asker.from].at)
	}
	held := slices.ContainsFunc(s.formerHomes(author), func(f former) bool {
		itself := f.member == asker.from && f.boot == asker.boot
		return !itself && time.Since(f.at) <= s.window
	})
	return kept || held || !s.flooded.IsZero()
}

// expire forgets ends older than two windows, and authors that were not kept for as long, every expireEvery.
func (s *seen) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	old := func(at time.Time) bool { return now.Sub(at) > 2*s.window }
	for len(s.order) > 0 && old(s.order[0].at) {
		peer := s.order[0].peer
		s.order = s.order[1:]
		if s.former[peer] = s.tidy(s.former[peer]); len(s.former[peer]) == 0 {
			delete(s.former, peer)
		}
	}
	if now.Sub(s.expired) < expireEvery {
		return
	}
	s.expired = now
	s.earlier = slices.DeleteFunc(s.earlier, func(set liveSet) bool { return old(set.ended.at) })
	for peer, list := range s.held {
		if list = s.tidy(list); len(list) == 0 {
			delete(s.held, peer)
		} else {
			s.held[peer] = list
		}
	}
	for author, at := range s.kept {
		if old(at) {
			delete(s.kept, author)
		}
	}
	drop := func(f former) bool { return old(f.at) }
	maps.DeleteFunc(s.handed, func(_ string, f former) bool { return drop(f) })
	maps.DeleteFunc(s.missed, func(_ startOf, f former) bool { return drop(f) })
	maps.DeleteFunc(s.unnoted, func(_ startOf, f former) bool { return drop(f) })
	if old(s.flooded) {
		s.flooded = time.Time{}
	}
}
