package supervisor

import (
	"cmp"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// A peer may have several addresses, those of several processes with one identity. After the end of its connection the
// pauses of all of them run. Their dials start one after another: each open connection costs both sides a key exchange,
// and all but one are closed as duplicates.

// rivalPatience is the time from the start of a dial until another address of the same peer is dialled, too.
const rivalPatience = 2 * time.Second

// rivalOf returns the time for which a target leaves its peer to the dial of another address, or 0: there is none.
func (r *registry) rivalOf(t *dialTarget) (wait time.Duration) {
	id := t.knownPeer()
	if id == "" || t.state == dialing {
		return 0
	}
	for _, other := range r.targetsOf[id] {
		if other != t && other.state == dialing && other.knownPeer() == id {
			wait = max(wait, rivalPatience-time.Since(other.startedAt))
		}
	}
	return wait
}

// dialRivals dials one of the addresses that have left their peer to a dial that failed: the one with the fewest
// failures, so that a refused address that is due again does not precede an address without a dial.
func (r *registry) dialRivals(ctx actor.Context, failed *dialTarget) {
	id := failed.knownPeer()
	var rivals []*dialTarget
	for _, t := range r.targetsOf[id] {
		if t.yields && t.knownPeer() == id {
			rivals = append(rivals, t)
		}
	}
	slices.SortFunc(rivals, func(a, b *dialTarget) int {
		return cmp.Or(cmp.Compare(a.failures, b.failures), a.startedAt.Compare(b.startedAt), cmp.Compare(a.url, b.url))
	})
	for _, t := range rivals {
		r.advance(ctx, t, dialDue, nil)
	}
}

// knownPeer returns the node ID of the peer that may answer at a target, or that answered last; empty: none is known.
func (t *dialTarget) knownPeer() string { return cmp.Or(t.expect, t.peer) }
