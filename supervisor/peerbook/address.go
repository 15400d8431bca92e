package peerbook

// AnsweredAt notes an address at which a peer was reached. One that was ordered for this peer, by its ID, is dialled first
// from then on. Any other, such as a configured address that may be a relay's, never replaces the address of a persistent
// peer. The address that is not dialled first is kept beside it.
func (p *Peer) AnsweredAt(address string, ordered bool) {
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

// KeepAt notes that a peer is kept connected at an address that was ordered for it.
func (p *Peer) KeepAt(address string) {
	p.Persistent = true
	p.AnsweredAt(address, true)
}

// At returns the ID of another peer than id whose address this is; empty if there is none.
func (r *Book) At(address, id string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for other, p := range r.peers {
		if p.Address == address && other != id {
			return other
		}
	}
	return ""
}
