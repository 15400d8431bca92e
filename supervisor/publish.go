package supervisor

// publish writes the route of a peer into the route table, and its connections for listings.
func (r *registry) publish(id string) {
	defer r.list(id)
	state := r.state(id)
	switch {
	case state.route == nil:
		r.withhold(id, state, r.holding(id))
		return
	case state.claim.state == claimPending:
		r.withhold(id, state, true)
		return
	case state.claim.state == claimElsewhere:
		r.routes.remove(id)
		r.resumeSends(state)
		return
	}
	var alternates []*PeerConnection
	if state.contested {
		for _, s := range r.rivals(id) {
			if s.rank.strength >= state.route.rank.strength { // a session's messages keep their forward secrecy
				alternates = append(alternates, s.conn)
			}
		}
	}
	r.routes.set(id, state.route.conn, alternates)
	r.resumeSends(state)
}

// list writes the connections of a peer into the route table. The table has a single route already.
func (r *registry) list(id string) {
	var open []*PeerConnection
	for _, s := range r.peers[id] {
		open = append(open, s.conn)
	}
	if len(open) == 1 && r.routes.get(id) == open[0] {
		open = nil
	}
	r.routes.list(id, open)
}

// withhold records that a peer has no route. held: its senders wait for one.
func (r *registry) withhold(id string, state *peerState, held bool) {
	r.routes.setUnverified(id, held)
	if !held {
		r.resumeSends(state)
	}
}
