package supervisor

import (
	"context"
	"slices"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
)

// Limits of the list of pending peers. Strangers cause its entries.
const (
	maxPending         = 100
	maxPendingPerGroup = 10 // of one address group, or of one dialled address
)

// PendingPeer is a peer that this node refused because it is not on the allowlist, as Transport.Pending returns it.
type PendingPeer struct {
	ID        string // node ID of Key
	Key       crypto.PublicKey
	Name      string // claimed: quote it before printing
	Address   string // of the last attempt: remote address, or the one that was dialled
	Direction Direction
	First     time.Time
	Last      time.Time
	Count     int // attempts
}

// Unproven reports whether the peer has not proved that it holds Key. A peer that this node dialled has.
func (p *PendingPeer) Unproven() bool { return p.Direction == Inbound }

// pending is an entry of pendingPeers.
type pending struct {
	PendingPeer

	group string // limited to maxPendingPerGroup entries; empty: not limited
}

// pendingPeers holds the newest maxPending refused peers, one entry for each key. Not safe for concurrent use.
type pendingPeers struct {
	entries []pending // the least recent attempt first
}

// add records an attempt at p.Last. A new entry evicts the oldest entry of its group or of the list, if that is full.
// An inbound attempt only counts at an entry of a dialled peer: a stranger may show its key.
func (l *pendingPeers) add(p PendingPeer, group string) {
	p.First, p.Count = p.Last, 1
	if i := slices.IndexFunc(l.entries, func(e pending) bool { return e.Key == p.Key }); i >= 0 {
		before := l.entries[i]
		p.First, p.Count = before.First, before.Count+1
		if p.Unproven() && !before.Unproven() {
			p.Name, p.Address, p.Direction, group = before.Name, before.Address, before.Direction, before.group
		}
		l.entries = slices.Delete(l.entries, i, i+1)
	}
	inGroup := func(e pending) bool { return group != "" && e.group == group }
	count := 0
	for _, e := range l.entries {
		if inGroup(e) {
			count++
		}
	}
	switch {
	case count >= maxPendingPerGroup:
		i := slices.IndexFunc(l.entries, inGroup)
		l.entries = slices.Delete(l.entries, i, i+1)
	case len(l.entries) >= maxPending:
		l.entries = slices.Delete(l.entries, 0, 1)
	}
	l.entries = append(l.entries, pending{PendingPeer: p, group: group})
}

// newest removes the entries that settled reports and returns the others, the newest attempt first.
func (l *pendingPeers) newest(settled func(crypto.PublicKey) bool) []PendingPeer {
	l.entries = slices.DeleteFunc(l.entries, func(e pending) bool { return settled(e.Key) })
	list := make([]PendingPeer, 0, len(l.entries))
	for _, e := range slices.Backward(l.entries) {
		list = append(list, e.PendingPeer)
	}
	return list
}

// listPending asks for the pending peers; pendingList answers it.
type (
	listPending struct{}
	pendingList struct{ peers []PendingPeer }
)

func (*listPending) fromTransport() {}

// Pending returns the peers that this process refused because they are not on the allowlist, the newest attempt first:
// at most 100, and at most 10 of one IPv4 address, IPv6 /64 (loopback excepted) or dialled address. Peers that may
// connect now, and revoked ones, are left out. The error is ErrStopped or ctx's.
func (t *Transport) Pending(ctx context.Context) ([]PendingPeer, error) {
	list, err := ask[*pendingList](ctx, t, &listPending{})
	if err != nil {
		return nil, err
	}
	return list.peers, nil
}

func (r *registry) listPending() *pendingList {
	return &pendingList{peers: r.pending.newest(func(key crypto.PublicKey) bool {
		return r.book.Authorized(key) || r.book.Revoked(key)
	})}
}

// recordPending records a refused peer that is neither allowed nor revoked.
func (r *registry) recordPending(s *slot, msg *actors.Identified) {
	if r.book.Revoked(msg.Key) {
		return
	}
	p := PendingPeer{
		ID: msg.Identity.ID, Key: msg.Key, Name: msg.Identity.Name, Address: msg.Remote, Direction: s.direction,
		Last: r.node.Clock().UTC(),
	}
	group := s.group
	if t := s.target; t != nil {
		p.Address, group = t.address, "dialled "+t.url
	}
	r.pending.add(p, group)
}
