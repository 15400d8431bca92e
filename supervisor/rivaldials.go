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

// rivalOf returns the time for which a target without a dial leaves its peer to the dial of another address, or 0:
// there is none.
func (r *registry) rivalOf(t *dialTarget) (wait time.Duration) {
	id := t.knownPeer()
	for _, other := range r.targetsOf[id] {
		if other.state == dialing && other.knownPeer() == id {
			wait = max(wait, rivalPatience-time.Since(other.startedAt))
		}
	}
	return wait
}

// dialRivals dials one of the addresses that have left their peer to a dial that failed. The others yield to that one.
func (r *registry) dialRivals(ctx actor.Context, failed *dialTarget) {
	for _, t := range r.yielding(failed.knownPeer()) {
		r.advance(ctx, t, dialDue, nil)
	}
}

// yielding returns the targets that have left a peer to the dial of another address. The one with the fewest failures
// is the first, so that a refused address that is due again does not precede an address without a dial.
func (r *registry) yielding(id string) (list []*dialTarget) {
	for _, t := range r.targetsOf[id] {
		if t.yields && t.knownPeer() == id {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *dialTarget) int {
		return cmp.Or(cmp.Compare(a.failures, b.failures), a.startedAt.Compare(b.startedAt), cmp.Compare(a.url, b.url))
	})
	return list
}

// knownPeer returns the node ID of the peer that may answer at a target, or that answered last; empty: none is known.
func (t *dialTarget) knownPeer() string { return cmp.Or(t.expect, t.peer) }
