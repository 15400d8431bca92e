package supervisor

import (
	"maps"
	"math"

	"github.com/asynkron/protoactor-go/actor"
)

// reconcileClaims repeats the exchange with the cluster about each peer after a panic, which may have cost a verdict,
// the report that a peer was taken or is free, or the judgement of another member's claim.
func (r *registry) reconcileClaims(ctx actor.Context) {
	if r.cluster == nil {
		return
	}
	for id, state := range maps.Clone(r.states) { // a clone: yielding a peer can remove its state
		home, known := r.cluster.Home(id)
		switch {
		case state.route == nil:
		case state.claim.state == claimPending:
			r.makeClaim(id, state)
		case state.claim.state == claimElsewhere:
			r.awaitFree(id)
		case state.claim.state == claimHeld && known && home != r.cluster.Name():
			r.onClaimTaken(ctx, &claimTaken{peer: id, member: home, term: math.MaxUint64})
		case state.claim.contest != nil:
			r.judgeClaim(ctx, id, state)
		}
	}
}
