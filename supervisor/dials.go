package supervisor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/Snider/go-p2p/supervisor/internal/lowest"
)

// DialInfo describes an address that the node keeps connected.
type DialInfo struct {
	Address   string
	Peer      string    // node ID of the peer that answered there or is expected there; empty: unknown
	Failures  int       // consecutive failed dials
	LastError error     // of the last dial, or the end of the connection; nil: none since the peer was connected
	NextDial  time.Time // zero: no dial is scheduled
	Dialling  bool      // a dial is in progress
	Connected bool      // the peer has a verified connection, inbound or outbound; never for Transport.Dials
}

// listDials asks for a list of DialInfo; dialList answers it.
type (
	listDials struct {
		connected bool // also those with a verified connection
		paged     bool // only those with a key behind after
		after     string
		through   string // the last key; empty: the one that ends a page of limit keys
		limit     int
	}
	dialList struct{ dials []DialInfo }
)

func (*listDials) fromTransport() {}

// Dials returns the addresses that the node keeps connected and whose peer has no verified connection, sorted by
// address: those of TransportConfig.Peers, of ConnectAddress and of the peer book. The error is ErrStopped or ctx's.
func (t *Transport) Dials(ctx context.Context) ([]DialInfo, error) {
	return t.dialInfos(ctx, false)
}

// KeptAddresses returns every address that the node keeps connected, sorted by address: those of TransportConfig.Peers,
// of ConnectAddress and of the peer book. The error is ErrStopped or ctx's.
func (t *Transport) KeptAddresses(ctx context.Context) ([]DialInfo, error) {
	return t.dialInfos(ctx, true)
}

func (t *Transport) dialInfos(ctx context.Context, connected bool) ([]DialInfo, error) {
	list, err := ask[*dialList](ctx, t, &listDials{connected: connected})
	if err != nil {
		return nil, err
	}
	return list.dials, nil
}

// listDials answers listDials. A page of it takes two passes and the memory of the page.
func (r *registry) listDials(msg *listDials) *dialList {
	list := &dialList{}
	through := msg.through
	if msg.paged && through == "" {
		keys := lowest.Behind(msg.after, msg.limit)
		for _, t := range r.targets {
			if t.keep {
				keys.Add((&DialInfo{Address: t.address, Peer: cmp.Or(t.expect, t.peer)}).key())
			}
		}
		found := keys.Sorted()
		if len(found) == 0 {
			return list
		}
		through = found[len(found)-1]
	}
	for _, t := range r.targets {
		up := r.connected(t) != nil
		if !t.keep || up && !msg.connected {
			continue
		}
		d := DialInfo{
			Address: t.address, Peer: cmp.Or(t.expect, t.peer), Connected: up, Dialling: t.state == dialing,
			Failures: t.failures, LastError: t.lastErr, NextDial: t.nextDial,
		}
		if key := d.key(); !msg.paged || key > msg.after && key <= through {
			list.dials = append(list.dials, d)
		}
	}
	slices.SortFunc(list.dials, func(a, b DialInfo) int { return cmp.Compare(a.Address, b.Address) })
	return list
}
