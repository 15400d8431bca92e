package supervisor

import (
	"net"
	"net/netip"
	"slices"
	"time"
)

// An identity is in use on two hosts if duplicates from another host are closed repeatedly while the incumbent answers
// its probes. A peer that has moved, or a dial that crossed ours, causes one close only.
const (
	conflictCloses = 3 // within conflictWindow
	conflictWindow = 30 * time.Second
	conflictRepeat = time.Minute     // minimum time between two reports about one peer
	conflictMemory = 2 * time.Minute // after a report, one close continues the conflict: copies back off for 1 min
	maxConflicts   = 1024            // maximum number of peers with an entry
)

// duplicateClose records a duplicate of a living incumbent. It was closed, or would have been closed if its peer bound
// its frames.
type duplicateClose struct {
	at        time.Time
	duplicate string // network address
	incumbent string // network address
	unproven  bool   // the connections are unmarked and stay open
}

// conflict is the registry's record of one peer's duplicates from other hosts.
type conflict struct {
	closes   []duplicateClose // at most conflictCloses, the newest last
	reported time.Time        // time of the last event; zero: none
}

// conflictVerdict is the result of conflict.judge.
type conflictVerdict struct {
	conflict  bool     // the identity is in use from another address: the duplicate is closed with that reason
	report    bool     // an event is due
	unproven  bool     // the evidence includes unmarked connections
	addresses []string // hosts, sorted, without ports
}

// suspected reports whether a duplicate from another host was closed within conflictWindow, or a conflict was reported
// within conflictMemory.
func (c *conflict) suspected(now time.Time) bool {
	return c != nil && (c.continues(now) || len(c.closes) > 0 && now.Sub(c.closes[len(c.closes)-1].at) <= conflictWindow)
}

func (c *conflict) continues(now time.Time) bool {
	return !c.reported.IsZero() && now.Sub(c.reported) <= conflictMemory
}

// judge evaluates the recent closes of one peer. While a conflict continues, one close within conflictWindow suffices.
func (c *conflict) judge(now time.Time) conflictVerdict {
	count, needed, unproven := 0, conflictCloses, false
	if c.continues(now) {
		needed = 1
	}
	var hosts []string
	for _, d := range c.closes {
		if now.Sub(d.at) > conflictWindow {
			continue
		}
		count++
		unproven = unproven || d.unproven
		hosts = append(hosts, hostOf(d.duplicate), hostOf(d.incumbent))
	}
	if count < needed {
		return conflictVerdict{}
	}
	slices.Sort(hosts)
	return conflictVerdict{
		conflict: true, report: c.reported.IsZero() || now.Sub(c.reported) >= conflictRepeat,
		unproven: unproven, addresses: slices.Compact(hosts),
	}
}

// keep adds a close and drops those outside of the window. It keeps at most conflictCloses.
func (c *conflict) keep(d duplicateClose) {
	c.closes = slices.DeleteFunc(c.closes, func(old duplicateClose) bool { return d.at.Sub(old.at) > conflictWindow })
	c.closes = append(c.closes, d)
	c.closes = c.closes[max(0, len(c.closes)-conflictCloses):]
}

// has reports whether the close of a connection from a network address was noted.
func (c *conflict) has(duplicate string) bool {
	return c != nil && slices.ContainsFunc(c.closes, func(d duplicateClose) bool { return d.duplicate == duplicate })
}

// noteDuplicate records that s is a duplicate of its peer's route, once for each connection. It returns whether the
// identity is in use from another address. A connection older than the route lost a contest and does not count.
func (r *registry) noteDuplicate(s *slot) bool {
	id := s.conn.peer.ID
	state := r.states[id]
	if s.conflictNoted || !state.answeredRecently() || !anotherHost(s, state.route) ||
		s.conn.number < state.route.conn.number {
		return false
	}
	s.conflictNoted = true
	return r.noteClose(id, duplicateClose{
		at: time.Now(), duplicate: s.conn.peerAddress, incumbent: state.route.conn.peerAddress, unproven: !s.rank.isBound(),
	})
}

// noteRefused is noteDuplicate for a connection of another member whose claim is refused. A connection may claim more
// than once; its address tells.
func (r *registry) noteRefused(id string, state *peerState) bool {
	claim, route := &state.claim.contest.claim, state.route
	d := duplicateClose{
		at: time.Now(), duplicate: claim.Address, incumbent: route.conn.peerAddress, unproven: claim.Strength < Bound,
	}
	if claim.Address == "" || !state.answeredRecently() || !differentHosts(d.duplicate, d.incumbent) ||
		route.born.After(d.at.Add(-claim.Born)) || d.unproven == route.rank.isBound() || r.conflicts[id].has(d.duplicate) {
		return false
	}
	return r.noteClose(id, d)
}

// noteClose records a duplicate, and publishes IdentityConflict if one is due. It returns whether the identity is in
// use from another address.
func (r *registry) noteClose(id string, d duplicateClose) bool {
	c := r.conflicts[id]
	switch {
	case c == nil && len(r.conflicts) >= maxConflicts:
		return false
	case c == nil:
		c = &conflict{}
		r.conflicts[id] = c
	}
	c.keep(d)
	verdict := c.judge(d.at)
	if verdict.report {
		c.reported = d.at
		r.node.LimitedLog.Warn("an identity is in use on two hosts", "peer", id, "addresses", verdict.addresses)
		r.nodeEvents.Event(IdentityConflict{Peer: id, Addresses: verdict.addresses, Unproven: verdict.unproven})
	}
	return verdict.conflict
}

// noteUnmarked records unmarked duplicates of an unmarked route that has answered a probe. They stay open.
func (r *registry) noteUnmarked(id string) {
	state := r.states[id]
	if state == nil || state.route == nil || state.contested || state.route.rank.isBound() {
		return
	}
	for _, s := range r.peers[id] {
		if s != state.route && s.rank.strength.Verified() && !s.rank.isBound() && s.further == "" {
			r.noteDuplicate(s)
		}
	}
}

// answeredProbe reports whether a contest with s needs no new probe: the route has answered one within conflictWindow,
// and duplicates from other hosts were closed since.
func (r *registry) answeredProbe(state *peerState, s *slot) bool {
	return state.answeredRecently() && anotherHost(s, state.route) && r.conflicts[s.conn.peer.ID].suspected(time.Now())
}

func (state *peerState) answeredRecently() bool {
	return state.probes != nil && !state.probes.answered.IsZero() && time.Since(state.probes.answered) <= conflictWindow
}

// expireConflicts drops the records that no longer influence a decision.
func (r *registry) expireConflicts() {
	now := time.Now()
	for id, c := range r.conflicts {
		if !c.suspected(now) {
			delete(r.conflicts, id)
		}
	}
}

func anotherHost(a, b *slot) bool {
	return differentHosts(a.conn.peerAddress, b.conn.peerAddress)
}

// differentHosts reports whether two network addresses belong to different hosts. Loopback addresses identify no host,
// so they are compared with their ports: each port may be a tunnel to another host.
func differentHosts(a, b string) bool {
	hostA, hostB := hostOf(a), hostOf(b)
	if ip, err := netip.ParseAddr(hostA); err == nil && ip.Unmap().IsLoopback() {
		return a != b
	}
	return hostA != hostB
}

// hostOf returns a network address without its port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
