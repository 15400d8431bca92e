package cluster

import (
	"slices"
	"time"

	"github.com/Snider/go-p2p/supervisor"
)

// Times of the exchange between members.
const (
	beatEvery   = 250 * time.Millisecond
	lostAfter   = 2 * time.Second // without a message, on the running clock
	forgetAfter = 10 * time.Minute
	maxMembers  = 256

	// underWay is the longest time for which messages of a killed member may still arrive.
	underWay = 100 * time.Millisecond
	maxPast  = 8
)

// member is the state of one member as this one knows it, itself included.
type member struct {
	name string

	// Written by the engine's actor, under directory.mu.
	lost bool
	held int // number of claims in the directory

	// Owned by the actor.
	boot  uint64    // of its present start; 0: none was heard
	gone  bool      // its present start was lost and not heard again
	past  []uint64  // of its last starts before the present one, at most maxPast
	next  uint64    // number of its next message; 0: its claims are unknown
	heard time.Time // last message, on the running clock
	beat  heartbeat
	sync  *syncing // nil: its claims in the directory are complete
	pages uint64   // handed over by its present start

	ahead    time.Duration // of its clock, by its last heartbeat
	behind   time.Time     // since when its records of the peer book are not all here, on the running clock; zero: all are
	probing  bool          // a probe is under way
	ended    time.Time     // when a probe found no subscription, on the running clock
	fetching bool          // its records are being fetched
	fetchAt  time.Time     // next attempt after a failed one, on the running clock
}

// state returns the state of a member for the program.
func (m *member) state() supervisor.MemberState {
	if m.lost {
		return supervisor.MemberLost
	}
	return m.beat.state
}

// begin begins the sequence of another start of the member.
func (m *member) begin(boot uint64) {
	m.past = slices.DeleteFunc(append(m.past, m.boot), func(past uint64) bool { return past == 0 || past == boot })
	m.past = m.past[max(0, len(m.past)-maxPast):]
	m.boot, m.gone, m.pages = boot, false, 0
}

// isPast reports whether a message is of an earlier start of the member: it is late, or two processes have the name of
// the member. While the present start is not lost, such messages do not count.
func (m *member) isPast(boot uint64) bool { return !m.lost && slices.Contains(m.past, boot) }

// isUnderWay reports whether a message may have been sent before a probe found that the member has ended.
func (m *member) isUnderWay(boot uint64, now time.Time) bool {
	return m.lost && m.boot == boot && now.Sub(m.ended) < underWay
}

// step is the action for one message of a member's sequence.
type step uint8

const (
	stepIgnore  step = iota // it was processed before
	stepApply               // it is the next one
	stepWait                // a snapshot is on its way
	stepRestart             // the member has restarted: none of its claims is valid
	stepSync                // messages are missing, or its claims: a snapshot is needed
)

// judge returns the action for a message of the member's sequence.
func (m *member) judge(msg *message) step {
	switch {
	case msg.boot != m.boot:
		return stepRestart
	case m.sync != nil:
		return stepWait
	case m.next == 0:
		return stepSync
	case msg.seq < m.next:
		return stepIgnore
	case msg.seq == m.next:
		return stepApply
	default:
		return stepSync
	}
}
