package supervisor

// answeredAt notes an address at which a peer was reached. One that was ordered for this peer, by its ID, is dialled first
// from then on. Any other, such as a configured address that may be a relay's, never replaces the address of a persistent
// peer. The address that is not dialled first is kept beside it.
func (p *Peer) answeredAt(address string, ordered bool) {
	first, other := address, p.Address
	if p.Persistent && p.Address != "" && !ordered {
		first, other = p.Address, address
	}
	others := []string{other}
	for _, known := range p.Addresses.All() {
		if known != other {
			others = append(others, known)
		}
	}
	p.Address = first
	p.Addresses = NewTextList(others...).first(maxPeerAddresses, func(text string) bool { return text != first })
}

// keepAt notes that a peer is kept connected at an address that was ordered for it.
func (p *Peer) keepAt(address string) {
	p.Persistent = true
	p.answeredAt(address, true)
}

// ordered reports whether a target's address was given for this peer: together with its ID, or to keep it connected.
func (t *target) ordered(id string) bool { return t.expect == id || t.remember }

// nextURL returns where to dial: the target's own address, and after every second failure one of the other addresses of
// its peer in turn.
func (r *registry) nextURL(t *target) string {
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

// reportAddress logs a configured address that answers with the identity of another peer than before, or with one that is
// kept connected at another address.
func (r *registry) reportAddress(t *target, id string) {
	if t.ordered(id) {
		return
	}
	before := t.peer
	if before == "" {
		before = r.book.at(t.address, id)
	}
	known, _ := r.book.Get(id)
	switch {
	case before != "" && before != id:
		r.node.Samples.Warn("a configured address answers with another identity", "address", t.address, "before", before, "now", id)
	case known.Persistent && known.Address != "" && known.Address != t.address:
		r.node.Samples.Warn("a configured address answers with the identity of a peer known at another address",
			"address", t.address, "peer", id, "known", known.Address)
	}
}

// at returns the ID of another peer than id whose address this is; empty if there is none.
func (r *PeerRegistry) at(address, id string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for other, p := range r.peers {
		if p.Address == address && other != id {
			return other
		}
	}
	return ""
}
