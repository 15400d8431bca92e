package cluster

import "time"

// A member that joins does not know which members were homes before. Those that have left have handed their entries
// over to the others, which it asks. But if one has crashed in the last window, the new member cannot tell which
// messages were delivered there: for one window, it refuses messages stamped before that crash.

// sameCrash is the time by which a crash that another member tells may be later than the known one and be the same: the
// delay of the message is added. Members tell it to each other with each heartbeat, and the delays would add up.
const sameCrash = beatEvery

// crashAge returns the time since the last crash of a member in milliseconds, plus one, or 0 if there was none in one
// window, and by how much the clock of that member was ahead of ours.
func (s *seen) crashAge() (age uint64, ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := time.Since(s.crash.at)
	if s.crash.at.IsZero() || since > s.window {
		return 0, 0
	}
	return uint64(since.Milliseconds()) + 1, s.crash.ahead
}

// heardCrash takes over the crashAge of another member.
func (s *seen) heardCrash(from string, age uint64, ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age == 0 || age > uint64(s.window.Milliseconds()) {
		return
	}
	now, since := s.now("", 0), time.Duration(age-1)*time.Millisecond
	heard := former{ended: now.ended.Add(-since), at: now.at.Add(-since), ahead: s.clocks[from] + ahead}
	if heard.at.After(s.crash.at.Add(sameCrash)) {
		s.crash = heard
	}
	if s.joined.IsZero() || heard.at.Before(s.joined.Add(lostAfter)) {
		s.noteUnseen(heard)
	}
}

// noteCrash notes a crash unless a later one is known. s.mu is held.
func (s *seen) noteCrash(f former) {
	if f.at.After(s.crash.at) {
		s.crash = f
	}
}

// noteUnseen is noteCrash for a crash that this member has not seen: messages of the peers here need checks. s.mu is
// held.
func (s *seen) noteUnseen(f former) {
	if !f.at.After(s.unseen.at) {
		return
	}
	s.unseen = f
	for peer, a := range s.authors {
		if !a.state.Elsewhere() {
			s.updateAuthor(peer)
		}
	}
}

// crashedBefore reports whether a message was stamped before a crash that this member has not seen.
func (s *seen) crashedBefore(stamp stamped, now time.Time) bool {
	return now.Sub(s.unseen.at) <= s.window && !stamp.at.After(s.unseen.ended.Add(s.margin(s.unseen, stamp)))
}

// left notes that a member has left, and whether it has handed all its entries over.
func (s *seen) left(m *member, complete bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now(m.name, m.boot)
	if complete {
		s.handed[m.name] = now
	} else {
		s.noteCrash(now)
	}
}
