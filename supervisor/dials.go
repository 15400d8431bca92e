package supervisor

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// DialInfo describes an address that the node keeps connected and whose peer has no verified connection.
type DialInfo struct {
	Address   string
	Peer      string    // node ID of the peer that answered there or is expected there; empty: unknown
	Failures  int       // consecutive failed dials
	LastError error     // of the last dial, or the end of the connection; nil: none since the peer was connected
	NextDial  time.Time // zero: the dial is in progress, or the peer is revoked
}

// listDials asks for a list of DialInfo; dialList answers it.
type (
	listDials struct{}
	dialList  struct{ dials []DialInfo }
)

func (*listDials) fromTransport() {}

// Dials returns the addresses that the node keeps connected and whose peer has no verified connection, sorted by
// address: those of TransportConfig.Peers, of ConnectAddress and of the peer book. The error is ErrStopped or ctx's.
func (t *Transport) Dials(ctx context.Context) ([]DialInfo, error) {
	list, err := ask[*dialList](ctx, t, &listDials{})
	if err != nil {
		return nil, err
	}
	return list.dials, nil
}

func (r *registry) listDials() *dialList {
	list := &dialList{}
	for _, t := range r.targets {
		if !t.keep || r.connected(t) != nil {
			continue
		}
		list.dials = append(list.dials, DialInfo{
			Address: t.address, Peer: cmp.Or(t.expect, t.peer),
			Failures: t.failures, LastError: t.lastErr, NextDial: t.nextDial,
		})
	}
	slices.SortFunc(list.dials, func(a, b DialInfo) int { return cmp.Compare(a.Address, b.Address) })
	return list
}
