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
// that has received it. Other stamps are of the author's clock, see margin.

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
// its end. The author's clock may agree with the fastest clock of the members. Then the stamp is ahead by the
// difference to the clock of the member that has received the message now. With a difference of more than three windows
// both cannot have accepted the stamp within one window. s.mu is held.
func (s *seen) margin(f former, stamp stamped) (margin time.Duration) {
	if stamp.adjusted {
		return 0
	}
	consider := func(ahead time.Duration) {
		if ahead -= stamp.ahead; ahead <= 3*s.window {
			margin = max(margin, ahead)
		}
	}
	consider(0)
	consider(f.ahead)
	for _, ahead := range s.clocks {
		consider(ahead)
	}
	return margin
}

// stampFor sets the stamp of a check as another member is asked about it. It returns the start of that member that this
// one knows, with boot 0 if none was heard.
func (s *seen) stampFor(c *check, about *supervisor.SeenCheck, member string) startOf {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.stamp = about.Stamp
	if ahead, known := s.clocks[member]; known {
		c.stamp, c.converted, c.adjusted = c.stamp.Add(ahead), true, about.Adjusted
		c.latest = about.Adjusted && s.latestStamp(about.Author, about.Stamp)
	}
	return startOf{member, s.members[member].boot}
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
