package supervisor

// assignedTo reports whether the address of a target was given for this peer: together with its ID, or to keep it
// connected.
func (t *dialTarget) assignedTo(id string) bool { return t.expect == id || t.persistent }

// nextURL returns the URL of the next dial: the target's own address, or after an odd number of failures one of the
// peer's other addresses, in turn.
func (r *registry) nextURL(t *dialTarget) string {
	if t.expect == "" || t.failures%2 == 0 {
		return t.url
	}
	peer, _ := r.book.Get(t.expect)
	others := peer.Addresses.All()
	if len(others) == 0 {
		return t.url
	}
	url, err := ParseAddress(others[t.failures/2%len(others)], r.cfg.WSPath)
	if err != nil {
		return t.url
	}
	return url
}

// reportAddress logs a configured address that answers with another identity than before, or with the identity of a
// peer that is kept connected at another address.
func (r *registry) reportAddress(t *dialTarget, id string) {
	if t.assignedTo(id) {
		return
	}
	before := t.peer
	if before == "" {
		before = r.book.At(t.address, id)
	}
	known, _ := r.book.Get(id)
	switch {
	case before != "" && before != id:
		r.node.LimitedLog.Warn("a configured address answers with another identity", "address", t.address, "before", before,
			"now", id)
	case known.Persistent && known.Address != "" && known.Address != t.address:
		r.node.LimitedLog.Warn("a configured address answers with the identity of a peer known at another address",
			"address", t.address, "peer", id, "known", known.Address)
	}
}
