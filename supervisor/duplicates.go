package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// closeDuplicates closes the sending half of a peer's duplicates. The node with the smaller id does it at once, the
// other node after duplicateGrace. The grace period is skipped if a duplicate from another host was not closed by the
// other node: of two hosts with the same identity, each sees only its own connection. Connections to deployed nodes
// stay open, because a deployed node deletes its entry for us when any of them ends.
func (r *registry) closeDuplicates(ctx actor.Context, id string) {
	r.noteUnmarked(id)
	if len(r.duplicates(id)) == 0 {
		return
	}
	if r.node.Keys.Identity().ID < id || r.conflicts[id].suspected(time.Now()) {
		r.yieldDuplicates(ctx, id)
		return
	}
	if state := r.states[id]; state.timer == nil {
		r.scheduleRoute(id, state, duplicateGrace)
	}
}

func (r *registry) yieldDuplicates(ctx actor.Context, id string) {
	for _, s := range r.duplicates(id) {
		if wait := time.Until(s.peerDecides); wait > 0 {
			if state := r.states[id]; state.timer == nil {
				r.scheduleRoute(id, state, wait)
			}
			continue
		}
		reason := actors.ReasonDuplicate
		if r.noteDuplicate(s) {
			reason = actors.ReasonIdentityInUse
		}
		ctx.Send(s.pid, &actors.Yield{Reason: reason})
	}
}

// duplicates returns the connections of a peer that both nodes know to be duplicates. Before the peer knows that the
// route is verified, the end of a duplicate would leave it without a route.
func (r *registry) duplicates(id string) (list []*slot) {
	state := r.states[id]
	if state == nil || state.route == nil || state.contested || !state.route.rank.isBound() ||
		!state.route.conn.handle.Confirmed() {
		return nil
	}
	for _, s := range r.peers[id] {
		if s != state.route && s.rank.isBound() && announcesSingle(s) {
			list = append(list, s)
		}
	}
	return list
}
