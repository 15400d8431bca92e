package cluster

import (
	"cmp"
	"slices"
	"sync"
)

// directory records the members and their claims: which member holds the connection of each peer. It mirrors the claims
// of each member exactly, in the order in which the member made them, so it needs no agreement between members. Where
// two members claim one peer, the claim with the higher term wins; of equal terms, that of the greater name.
//
// The engine's actor writes; every sender reads. Safe for concurrent use.
type directory struct {
	mu      sync.RWMutex
	members map[string]*member // by name, this one included; the engine's actor reads it without mu
	peers   map[string]*claimed
	log     []changed // of the last seconds, in order
}

// claimed is a claim. Nearly every peer has one; there are several while members disagree.
type claimed struct {
	holder *member
	term   uint64
	next   *claimed
}

func newDirectory(self *member) *directory {
	return &directory{members: map[string]*member{self.name: self}, peers: make(map[string]*claimed)}
}

// join adds a member.
func (d *directory) join(m *member) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.members[m.name] = m
}

// leave removes a member, without its claims.
func (d *directory) leave(m *member) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.members, m.name)
}

// living returns the names of the members that are not lost, except one.
func (d *directory) living(except string) []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	names := make([]string, 0, len(d.members))
	for name, m := range d.members {
		if !m.lost && name != except {
			names = append(names, name)
		}
	}
	return names
}

// outranks reports whether c wins against o, which may be nil.
func (c *claimed) outranks(o *claimed) bool {
	return o == nil || c.term > o.term || c.term == o.term && c.holder.name > o.holder.name
}

// best returns the winning claim of a peer among the members that are not lost, or nil. d.mu is held.
func (d *directory) best(peer string) (won *claimed) {
	for c := d.peers[peer]; c != nil; c = c.next {
		if !c.holder.lost && c.outranks(won) {
			won = c
		}
	}
	return won
}

// home returns the member that holds a peer, or nil.
func (d *directory) home(peer string) *member {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if c := d.best(peer); c != nil {
		return c.holder
	}
	return nil
}

// termOf returns the term of a member's claim for a peer, and whether there is one.
func (d *directory) termOf(peer string, holder *member) (uint64, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for c := d.peers[peer]; c != nil; c = c.next {
		if c.holder == holder {
			return c.term, true
		}
	}
	return 0, false
}

// others returns the members that claim a peer, lost ones included, without self.
func (d *directory) others(peer string, self *member) (list []*member) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for c := d.peers[peer]; c != nil; c = c.next {
		if c.holder != self {
			list = append(list, c.holder)
		}
	}
	return list
}

// lostHolders returns the names of the lost members that claim a peer.
func (d *directory) lostHolders(peer string) (names []string) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for c := d.peers[peer]; c != nil; c = c.next {
		if c.holder.lost {
			names = append(names, c.holder.name)
		}
	}
	return names
}

// set enters a claim in place of the member's earlier one.
func (d *directory) set(peer string, holder *member, term uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := d.peers[peer]; c != nil; c = c.next {
		if c.holder == holder {
			if c.term != term {
				d.note(peer, holder.name, false)
			}
			c.term = term
			return
		}
	}
	d.note(peer, holder.name, false)
	d.peers[peer] = &claimed{holder: holder, term: term, next: d.peers[peer]}
	holder.held++
}

// full reports whether a member has as many claims as one member may have, none of them for a peer.
func (d *directory) full(holder *member, peer string) bool {
	if holder.held < maxClaims { // written by the engine's actor, which is the caller
		return false
	}
	_, held := d.termOf(peer, holder)
	return !held
}

// drop removes the claim of a member. It returns false if there is none.
func (d *directory) drop(peer string, holder *member) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.remove(peer, holder)
}

// remove is drop with d.mu held.
func (d *directory) remove(peer string, holder *member) bool {
	first := d.peers[peer]
	for at := &first; *at != nil; at = &(*at).next {
		if (*at).holder != holder {
			continue
		}
		*at = (*at).next
		holder.held--
		d.note(peer, holder.name, true)
		if first == nil {
			delete(d.peers, peer)
		} else {
			d.peers[peer] = first
		}
		return true
	}
	return false
}

// replace makes claims all claims of a member.
func (d *directory) replace(holder *member, claims []holding) {
	for _, peer := range d.missing(holder, claims) {
		d.drop(peer, holder)
	}
	for _, h := range claims {
		d.set(h.peer, holder, h.term)
	}
}

// missing returns the peers that a member holds and claims does not name.
func (d *directory) missing(holder *member, claims []holding) (peers []string) {
	now := make(map[string]bool, len(claims))
	for _, h := range claims {
		now[h.peer] = true
	}
	for _, h := range d.of(holder) {
		if !now[h.peer] {
			peers = append(peers, h.peer)
		}
	}
	return peers
}

// of returns all claims of a member, by peer.
func (d *directory) of(holder *member) []holding {
	d.mu.RLock()
	defer d.mu.RUnlock()
	list := make([]holding, 0, holder.held)
	for peer, c := range d.peers {
		for ; c != nil; c = c.next {
			if c.holder == holder {
				list = append(list, holding{peer, c.term})
			}
		}
	}
	slices.SortFunc(list, func(a, b holding) int { return cmp.Compare(a.peer, b.peer) })
	return list
}

// setLost makes the claims of a member count no longer, or again.
func (d *directory) setLost(m *member, lost bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m.lost = lost
}
