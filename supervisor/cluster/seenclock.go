package cluster

import (
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// The clocks of the members may differ. Each member notes the ends of the others on its own clock, and compares them
// with stamps on its own clock. A member that asks another one therefore sends the stamp as the other one's clock would
// show it. It subtracts its own clock from the clock in the last heartbeat of the other member: the difference is too
// small by the delay of the heartbeat, never too large, so a message never appears newer than it is.
//
// The stamp of a message in the author's own session is adjusted: it is the time of sending on the clock of the member
// that has received it. Other stamps are of the author's clock, which may agree with the clock of either member.

// stamped is the timestamp of a message.
type stamped struct {
	at       time.Time     // on the clock of this member
	adjusted bool          // the clock of the author does not count
	ahead    time.Duration // not adjusted: clock of the member that has received the message minus ours
	latest   bool          // no member that has stopped has received the message, see latestStamp
}

// maxSkew limits the difference between two clocks, so that arithmetic with it does not overflow.
const maxSkew = 100 * 365 * 24 * time.Hour

// noteClock notes the clock of another member, by a heartbeat.
func (s *seen) noteClock(member string, ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clocks[member] = max(-maxSkew, min(ahead, maxSkew))
}

// margin returns by how much a stamp may be later than the end of a former home that has delivered the message before
// its end. If the author's clock agrees with that of the former home, the stamp is ahead by the difference between the
// clocks of the two members that have received the message. Each has accepted the stamp within one window of its clock.
// With a larger difference the second one would have received the message more than one window after the first.
// s.mu is held.
func (s *seen) margin(f former, stamp stamped) time.Duration {
	ahead := f.ahead - stamp.ahead
	if stamp.adjusted || ahead < 0 || ahead > 3*s.window {
		return 0
	}
	return ahead
}

// stampFor sets the stamp of a check as another member is asked about it.
func (s *seen) stampFor(c *check, about *supervisor.SeenCheck, member string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.stamp = about.Stamp
	ahead, known := s.clocks[member]
	if !known {
		return
	}
	c.stamp, c.converted, c.adjusted = c.stamp.Add(ahead), true, about.Adjusted
	c.latest = about.Adjusted && s.latestStamp(about.Author, about.Stamp)
}

// latestStamp reports whether a message in the author's own session is stamped after the last former home's end: this
// member is the home, and all members that have stopped were homes before. s.mu is held.
func (s *seen) latestStamp(author string, stamp time.Time) bool {
	for _, f := range s.held[author] {
		if !stamp.After(f.ended) {
			return false
		}
	}
	return len(s.held[author]) > 0
}

// stampOf returns the stamp of a check on the clock of this member. A member of an earlier version, or one that does
// not know the clock of this member, sends it on its own clock. The difference is then too large by the delay of its
// heartbeat, for which askWithin is subtracted. s.mu is held.
func (s *seen) stampOf(c *check, asker string) stamped {
	ahead := s.clocks[asker]
	if !c.converted {
		return stamped{at: c.stamp.Add(-ahead - askWithin), ahead: ahead}
	}
	return stamped{at: c.stamp, adjusted: c.adjusted, ahead: ahead, latest: c.latest}
}
