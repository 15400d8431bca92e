package cluster

import (
	"slices"
	"time"
)

const (
	logKept = 5 * time.Second // more than a broadcast takes
	maxLog  = 1 << 18         // changes, 14 MB; earlier ones are forgotten
)

// changed is a change of the directory: a member has claimed a peer, or its claim has ended.
type changed struct {
	peer   string
	member string
	at     time.Time
	ended  bool
}

// note appends a change to the log. d.mu is held.
func (d *directory) note(peer, member string, ended bool) {
	if len(d.log) >= maxLog {
		d.log = d.log[1:]
	}
	d.log = append(d.log, changed{peer, member, time.Now(), ended})
}

// expireLog forgets old changes.
func (d *directory) expireLog(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.log) > 0 && now.Sub(d.log[0].at) > logKept {
		d.log = d.log[1:]
	}
	if len(d.log) == 0 {
		d.log = nil
	}
}

// heldSince returns the peers that the member of this name, lost or not, has held at any moment since a time, in order:
// those that it holds, unless another member had a better claim at that time, and those whose claims have ended since.
func (d *directory) heldSince(member string, began time.Time) []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	later := make(map[changed]bool) // claims and ends since began, without their times
	var list []string
	for _, c := range d.log {
		if c.at.Before(began) {
			continue
		}
		if c.ended && c.member == member {
			list = append(list, c.peer)
		}
		c.at = time.Time{}
		later[c] = true
	}
	for peer, first := range d.peers {
		if own := first.of(member); own != nil && !first.beaten(peer, own, later) {
			list = append(list, peer)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// of returns the claim of the member of this name, or nil.
func (c *claimed) of(member string) *claimed {
	for ; c != nil; c = c.next {
		if c.holder.name == member {
			return c
		}
	}
	return nil
}

// beaten reports whether one of the claims of a peer that is not in later wins against own.
func (c *claimed) beaten(peer string, own *claimed, later map[changed]bool) bool {
	for ; c != nil; c = c.next {
		if c != own && c.outranks(own) && !later[changed{peer: peer, member: c.holder.name}] {
			return true
		}
	}
	return false
}

// missedMove reports whether a peer that a member has given up may have missed a broadcast that began at a time. If the
// end of the claim was known here before, the peer was not connected then, or already to another member. relied: a
// member has another connection to peers of that member; if the peer has a new home since, that connection was open.
func (d *directory) missedMove(peer, member string, began time.Time, relied bool) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	ended := time.Time{}
	for _, c := range d.log {
		if c.ended && c.peer == peer && c.member == member {
			ended = c.at
		}
	}
	known := !ended.IsZero() && ended.Before(began) && d.peers[peer].of(member) == nil
	return !known || relied && d.claimedSince(peer, began)
}

// claimedSince reports whether the home of a peer has claimed it after a time. d.mu is held.
func (d *directory) claimedSince(peer string, began time.Time) bool {
	won := d.best(peer)
	return won != nil && slices.ContainsFunc(d.log, func(c changed) bool {
		return !c.ended && c.peer == peer && c.member == won.holder.name && !c.at.Before(began)
	})
}

// movedSince returns the peers whose claims by a member ended before a time, and that have a home since.
func (d *directory) movedSince(member string, began time.Time) (list []string) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, c := range d.log {
		if c.ended && c.member == member && c.at.Before(began) && d.claimedSince(c.peer, began) {
			list = append(list, c.peer)
		}
	}
	return list
}
