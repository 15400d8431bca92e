package supervisor

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/Snider/go-p2p/supervisor/internal/lowest"
)

// MaxPeerPage is the largest number of entries in a page of peers.
const MaxPeerPage = 1000

// addressMark begins the key of an address whose peer is unknown. It sorts such entries behind the node IDs.
const addressMark = "~"

// PeerQuery selects a page of peers.
type PeerQuery struct {
	After     string // PeerPage.Next of the page before; empty: the first page
	Limit     int    // entries, from 1 to MaxPeerPage; other values: MaxPeerPage
	Connected bool   // only peers with a verified connection
	InUse     bool   // only connected peers, verified or not, and kept addresses; Connected has precedence
}

// PeerPage is a part of the list of peers and kept addresses. An entry is a peer with its kept addresses, or an address
// whose peer is unknown. Peers come first, by node ID, then addresses.
type PeerPage struct {
	Peers []PeerInfo // by node ID
	Dials []DialInfo // by address: kept addresses of these peers, of expected peers, and those with an unknown peer
	Next  string     // cursor of the next page: a node ID, or "~" and an address; empty: this is the last one
}

// PeerPage returns the peers and kept addresses behind a cursor. An entry that exists from the first page to the last
// is on exactly one page, also if others come and go between two pages. It keeps the registry as long as one pass over
// the kept addresses takes. The error is ErrStopped or ctx's.
func (t *Transport) PeerPage(ctx context.Context, q PeerQuery) (PeerPage, error) {
	limit := q.Limit
	if limit < 1 || limit > MaxPeerPage {
		limit = MaxPeerPage
	}
	keys := lowest.Behind(q.After, limit+1)
	t.routes.addIDs(keys.Add, q.Connected)
	asked := &listDials{connected: true, paged: true, after: q.After, limit: limit + 1}
	if q.Connected {
		if found := keys.Sorted(); len(found) > 0 {
			asked.through = found[len(found)-1]
		}
	}
	kept, err := ask[*dialList](ctx, t, asked)
	if err != nil {
		return PeerPage{}, err
	}
	if !q.Connected {
		for _, d := range kept.dials {
			keys.Add(d.key())
		}
	}
	if !q.Connected && !q.InUse {
		for _, p := range t.book.Page(q.After, limit+1) {
			keys.Add(p.ID)
		}
	}
	page, found := PeerPage{}, keys.Sorted()
	if len(found) > limit {
		found = found[:limit]
		page.Next = found[limit-1]
	}
	page.fill(t, found, kept.dials)
	return page, nil
}

// fill adds the entries with the given sorted keys.
func (p *PeerPage) fill(t *Transport, keys []string, kept []DialInfo) {
	persistent := make(map[string]bool)
	for _, d := range kept {
		if _, listed := slices.BinarySearch(keys, d.key()); listed {
			p.Dials = append(p.Dials, d)
			persistent[d.Peer] = true
		}
	}
	for _, id := range keys {
		if strings.HasPrefix(id, addressMark) {
			break
		}
		if info, known := t.peerInfo(id); known {
			info.Persistent = info.Persistent || persistent[id]
			p.Peers = append(p.Peers, info)
		}
	}
}

// peerInfo describes a peer that is connected or in the peer book, and reports whether it is.
func (t *Transport) peerInfo(id string) (info PeerInfo, known bool) {
	open := t.routes.open(id)
	if len(open) == 0 {
		p, inBook := t.book.Get(id)
		if !inBook {
			return PeerInfo{}, false
		}
		return t.inform(p), true
	}
	info = t.describe(open[0])
	for i, c := range open {
		carried := c.Traffic()
		if i > 0 && c.Verified() {
			info.Traffic.Received += carried.Received
			info.Traffic.Sent += carried.Sent
			info.Traffic.Dropped += carried.Dropped
		}
		info.Connections = append(info.Connections, ConnectionInfo{
			Connection: c.number, Address: c.peerAddress, Direction: c.direction, Verified: c.Verified(),
			Format: c.Format(), Traffic: carried,
		})
	}
	return info, true
}

// Peers returns every peer that is known or connected, by ID. PeerPage returns them in parts. The error is ErrStopped
// or ctx's.
func (t *Transport) Peers(ctx context.Context) ([]PeerInfo, error) {
	list := []PeerInfo{}
	for q := (PeerQuery{}); ; {
		page, err := t.PeerPage(ctx, q)
		if err != nil {
			return nil, err
		}
		list = append(list, page.Peers...)
		if q.After = page.Next; q.After == "" || strings.HasPrefix(q.After, addressMark) {
			return list, nil
		}
	}
}

// key returns the key of the entry to which a kept address belongs.
func (d *DialInfo) key() string { return cmp.Or(d.Peer, addressMark+d.Address) }
