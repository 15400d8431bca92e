package supervisor

import "github.com/asynkron/protoactor-go/actor"

// elsewhere returns the other member that is the home of a peer, or "".
func (r *registry) elsewhere(id string) string {
	if r.cluster == nil || id == "" || r.routes.get(id) != nil {
		return ""
	}
	if member, held := r.cluster.Home(id); held && member != r.cluster.Name() {
		return member
	}
	return ""
}

// memberAt returns the other member that is the home of the peer wanted at an address, or "". want is the peer's node
// ID; empty: the last one that answered there.
func (r *registry) memberAt(url, want string) string {
	if t := r.targets[url]; t != nil && want == "" {
		want = t.peer
	}
	return r.elsewhere(want)
}

// keptElsewhere reports whether another member is connected to the peer of a target, or keeps its address connected. In
// the first case, the target is advanced when the peer has no home any more.
func (r *registry) keptElsewhere(t *dialTarget) bool {
	if r.cluster == nil {
		return false
	}
	for _, id := range []string{t.expect, t.peer} {
		if r.elsewhere(id) != "" {
			r.awaitFree(id)
			return true
		}
	}
	return t.configured && !t.persistent && !r.cluster.Dials(t.url)
}

// awaitFree makes the cluster send peerFreed when a peer has no home.
func (r *registry) awaitFree(id string) {
	r.cluster.AwaitFree(id, func() { r.node.System.Root.Send(r.self, &peerFreed{peer: id}) })
}

// onPeerFreed claims a peer that has no home any more for its connections here, and continues its dials.
func (r *registry) onPeerFreed(ctx actor.Context, id string) {
	if state := r.states[id]; state != nil && state.claim.state == claimElsewhere && state.route != nil {
		r.makeClaim(id, state)
		r.publish(id)
	}
	for _, t := range r.targetsOf.of(id) {
		r.advance(ctx, t, dialPeerEnded, nil)
	}
}
