package supervisor

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// ErrSuspended means that the operator has disconnected the peer until a time that has not come.
var ErrSuspended = errors.New("the peer is refused for now: it was disconnected with a duration")

// refusedSuspended is the reason for which a suspended peer is refused, and the reason of the ack.
const refusedSuspended refusal = wire.ReasonOperator

// DisconnectUntil closes a peer's connections gracefully and refuses the peer until a time, inbound and outbound, also
// in later runs. A peer that is kept connected is dialled again from then on. Allow ends the time at once. The peer
// need not be connected. The change is on disk when it returns. The error is ErrBookWrite, ErrStopped or ctx's.
func (t *Transport) DisconnectUntil(ctx context.Context, peerID string, until time.Time) error {
	changed := t.changeBook(ctx, BookChange{Suspend: map[string]time.Time{peerID: until}})
	if changed != nil && !errors.Is(changed, ErrMembers) {
		return peerError(peerID, changed)
	}
	_, err := ask[*Disconnected](ctx, t, &Disconnect{
		Peer: peerID, Code: wire.DisconnectNormal, Reason: wire.ReasonOperator, suspended: true,
	})
	return peerError(peerID, errors.Join(changed, err))
}

// suspended reports whether a peer is refused for now.
func (r *registry) suspended(id string) bool {
	return !r.book.SuspendedUntil(id, r.node.Clock()).IsZero()
}

// suspensionEnded is the timer of the next end of a suspension.
type suspensionEnded struct{}

func (*suspensionEnded) fromTransport() {}

// scheduleSuspended sets the timer to the next end of a suspension.
func (r *registry) scheduleSuspended() {
	if r.suspendTimer != nil {
		r.suspendTimer.Stop()
	}
	now := r.node.Clock()
	var next time.Time
	for _, until := range r.book.Suspended(now) {
		if next.IsZero() || until.Before(next) {
			next = until
		}
	}
	if !next.IsZero() && !r.stopping {
		r.suspendTimer = time.AfterFunc(next.Sub(now), func() { r.node.System.Root.Send(r.self, &suspensionEnded{}) })
	}
}

// onSuspensionEnded dials the kept peers again that are no longer refused.
func (r *registry) onSuspensionEnded(ctx actor.Context) {
	r.dialIdle(ctx)
	r.scheduleSuspended()
}

// dialIdle advances the kept targets that have no dial: their peers may have been admitted again, or another member of
// the cluster dials them no longer.
func (r *registry) dialIdle(ctx actor.Context) {
	for _, t := range r.targets {
		if t.keep && t.state == dialIdle {
			r.advance(ctx, t, dialWanted, nil)
		}
	}
}

// barred returns why the peer of a target must not be dialled: ErrRevoked, ErrSuspended or nil. If a caller accepts any
// peer, the address is dialled nevertheless: it may have a new owner.
func (r *registry) barred(t *dialTarget) error {
	if t.expect == "" && len(t.callers) > 0 {
		return nil
	}
	return r.barredPeer(cmp.Or(t.expect, t.peer))
}

func (r *registry) barredPeer(id string) error {
	switch {
	case id == "":
		return nil
	case r.book.RevokedID(id):
		return ErrRevoked
	case r.suspended(id):
		return ErrSuspended
	default:
		return nil
	}
}
