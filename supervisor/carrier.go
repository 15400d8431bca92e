package supervisor

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// How long a surplus connection to a peer that keeps one only is left open, so that both sides have moved their traffic
// before it goes. The side with the smaller ID closes it; the other one only when that has not happened.
const (
	surplusGrace     = 2 * time.Second
	surplusLongGrace = 10 * time.Second
)

// reorder puts a peer's connections in order and makes the first one its carrier.
func (r *registry) reorder(id string) {
	list := r.peers[id]
	if len(list) == 0 {
		delete(r.peers, id)
		delete(r.verified, id)
		r.directory.set(id, nil)
		r.stopSettling(id)
		return
	}
	slices.SortStableFunc(list, func(a, b *place) int {
		switch {
		case a.standing.carries(b.standing):
			return -1
		case b.standing.carries(a.standing):
			return 1
		}
		return 0
	})
	r.directory.set(id, list[0].conn)
	if len(list) > 1 && r.settling[id] == nil {
		grace := surplusLongGrace
		if r.node.Keys.Identity().ID < id {
			grace = surplusGrace
		}
		r.settling[id] = time.AfterFunc(grace, func() { r.node.System.Root.Send(r.self, &settle{peer: id}) })
	}
}

// onSettle closes a peer's surplus connections, towards a peer that does the same: a deployed node would forget us
// altogether, so towards one the surplus stays open, to receive only.
func (r *registry) onSettle(ctx actor.Context, id string) {
	r.stopSettling(id)
	list := r.peers[id]
	if len(list) < 2 {
		return
	}
	if list[0].standing.proven {
		for _, p := range list[1:] {
			if p.standing.proven && slices.Contains(p.features, wire.FeatureSingleConnection) {
				ctx.Send(p.pid, &actors.Goodbye{End: actors.End{Code: wire.DisconnectNormal, Reason: reasonDuplicate}})
			}
		}
	}
}

func (r *registry) stopSettling(id string) {
	if t := r.settling[id]; t != nil {
		t.Stop()
		delete(r.settling, id)
	}
}

// leave takes a connection out of service. It may be called twice for one: when it says that it ends, and when its
// actor is gone.
func (r *registry) leave(ctx actor.Context, p *place, end actors.End) {
	if p.gone {
		return
	}
	p.gone = true
	if p.conn != nil {
		id := p.conn.peer.ID
		r.peers[id] = slices.DeleteFunc(r.peers[id], func(q *place) bool { return q == p })
		last := len(r.peers[id]) == 0
		r.reorder(id)
		if last {
			p.conn.delivery.Event(PeerDown{
				Peer: id, Name: p.conn.peer.Name, Code: end.Code, Reason: end.Reason, Remote: end.Remote,
			})
		}
		// The rest may run code of the program's, a clock at least, and comes after the tables.
		r.giveBack(bucketOf(id, p.conn.peerAddress))
		r.keepSendBucket(p)
		p.dedup.Leave()
		r.book.Update(id, func(known *Peer) { known.LastSeen = r.node.Clock().UTC() })
	}
	r.targetLeft(ctx, p, end)
	if p.conn != nil && p.conn.Verified() {
		r.verifiedEnded(ctx, p)
	}
}

// onSweep drops what has expired.
func (r *registry) onSweep() {
	r.dedup.Rotate(time.Now())
	r.dropBuckets()
	r.expireSendBuckets()
	r.sweepLater()
}

func (r *registry) sweepLater() {
	if r.stopping {
		return
	}
	due := min(time.Minute, r.dedup.UntilRotation(time.Now())) // buckets are looked at every minute
	r.sweeper = time.AfterFunc(due, func() { r.node.System.Root.Send(r.self, &sweep{}) })
}
