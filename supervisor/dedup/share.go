package dedup

import (
	"math"
	"sync/atomic"
)

// peerPart counts one peer's entries, for all its connections. A peer without connections is departed; its entries
// then count against the share of its address group:
//
//	first message        last Leave            Join, first message
//	connected ─────────→ departed ───────────→ connected
//	                     group.departed += n   group.departed -= n
//
// The group's share is an eighth of the set. While departed identities hold it, messages of identities of that group
// that have no entries yet are refused. Evicting the oldest entries of the group instead would allow a recording of
// these messages to be delivered again. Identities that are connected when the share is used up go on; they can add at
// most their own shares to it when they leave. Groups cost an attacker with an IPv6 prefix nothing, so departed
// identities of all groups together have a share too: half of the set. The rest is for connected and exempt peers.
type peerPart struct {
	current, previous atomic.Int64 // entries by generation
	share             atomic.Int64 // entries that it may have once the set is half full
	dropped           atomic.Bool  // it was empty at a rotation; the next message begins another
	group             *groupPart   // of the connection that began the part; nil: exempt

	// Guarded by the set's mutex.
	connections int
	charged     int64 // entries that group.departed includes

	_ [8]byte // a cache line of its own: peers count on several cores at once
}

// groupPart is one address group's part of the set.
type groupPart struct {
	name     string
	departed atomic.Int64  // entries of departed identities
	all      *atomic.Int64 // the same of all groups
	peers    int           // with this group; guarded by the set's mutex
}

func (p *peerPart) held() int64 { return p.current.Load() + p.previous.Load() }

// charge makes n the number of entries that the peer's group is charged with.
func (p *peerPart) charge(n int64) {
	if p.group != nil {
		p.group.departed.Add(n - p.charged)
		p.group.all.Add(n - p.charged)
		p.charged = n
	}
}

// peerPart returns the peer's part of the set. Only a caller that enters a message creates it: a peer that sends
// nothing costs nothing.
func (a *Account) peerPart(enter bool) *peerPart {
	if part := a.part.Load(); part != nil && !part.dropped.Load() {
		return part
	}
	d := a.set
	d.mu.Lock()
	defer d.mu.Unlock()
	part := d.peers[a.id]
	if !enter {
		return d.preview(part, a.group)
	}
	if part == nil {
		part = &peerPart{group: d.enterGroup(a.group)}
		part.share.Store(d.shareOf(a))
		d.peers[a.id] = part
	}
	if a.joined && a.part.Load() != part {
		part.share.Store(d.shareOf(a))
		part.connections++
		part.charge(0)
	}
	a.part.Store(part)
	return part
}

// shareOf returns the share of an account. A member of the node has no share: it has applied those of its peers.
func (d *Set) shareOf(a *Account) int64 {
	if a.member {
		return math.MaxInt64
	}
	return d.share.Load()
}

// preview returns the part that a message of a peer would be judged by: its own if there is one, else an empty one of
// its group.
func (d *Set) preview(part *peerPart, group string) *peerPart {
	if part != nil {
		return part
	}
	known := d.groups[group]
	if known == nil && group != "" {
		known = &groupPart{name: group, all: &d.departed}
	}
	part = &peerPart{group: known}
	part.share.Store(d.share.Load())
	return part
}

// Leave ends a connection's use of the set. It must be called once, after the connection's last message.
func (a *Account) Leave() {
	d := a.set
	d.mu.Lock()
	defer d.mu.Unlock()
	part := a.part.Load()
	if part == nil || part.dropped.Load() || !a.joined {
		return
	}
	a.joined = false
	if part.connections--; part.connections > 0 {
		return
	}
	part.charge(part.held())
}

// rotateShares follows a rotation: entries become those of the previous generation, and peers without any are
// forgotten.
func (d *Set) rotateShares() {
	for id, part := range d.peers {
		part.previous.Store(part.current.Swap(0))
		if part.connections == 0 {
			part.charge(part.previous.Load())
		}
		if part.previous.Load() == 0 {
			part.dropped.Store(true)
			delete(d.peers, id)
			d.leaveGroup(part.group)
		}
	}
}

func (d *Set) enterGroup(name string) *groupPart {
	if name == "" {
		return nil
	}
	g := d.groups[name]
	if g == nil {
		g = &groupPart{name: name, all: &d.departed}
		d.groups[name] = g
	}
	g.peers++
	return g
}

func (d *Set) leaveGroup(g *groupPart) {
	if g == nil {
		return
	}
	if g.peers--; g.peers == 0 {
		delete(d.groups, g.name)
	}
}
