package supervisor

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// leave takes a connection out of service. It may be called twice for one: when it says that it ends, and when its
// actor is gone.
func (r *registry) leave(ctx actor.Context, p *place, end actors.End) {
	if p.gone {
		return
	}
	p.gone = true
	if p.conn != nil {
		id := p.conn.peer.ID
		told := r.state(id).told
		r.peers[id] = slices.DeleteFunc(r.peers[id], func(q *place) bool { return q == p })
		r.reroute(ctx, id)
		if down := r.announceDown(id, told); down {
			p.conn.delivery.Event(PeerDown{
				Peer: id, Name: p.conn.peer.Name, Code: end.Code, Reason: end.Reason, Remote: end.Remote,
			})
		}
		// The rest may run code of the program's, a clock at least, and comes after the tables.
		r.keepSendBucket(p)
		if p.rank.strength.Verified() {
			r.book.Update(id, func(known *Peer) { known.LastSeen = r.node.Clock().UTC() })
		}
	}
	r.targetsAfter(ctx, p, end)
	if p.conn != nil && p.conn.Verified() {
		r.verifiedEnded(ctx, p)
	}
}

// announceDown reports whether the program has to be told that a peer is gone: it knows the peer as verified and no
// verified connection is left, or as unverified and no connection is left at all.
func (r *registry) announceDown(id string, told toldState) bool {
	left := r.peers[id]
	verified := slices.ContainsFunc(left, func(p *place) bool { return p.rank.strength.Verified() })
	if told == toldNothing || verified || told == toldUp && len(left) > 0 {
		return false
	}
	if s := r.states[id]; s != nil {
		s.told = toldNothing
	}
	return true
}

// onSweep drops what has expired.
func (r *registry) onSweep() {
	r.dedup.Rotate(time.Now())
	r.dropBuckets()
	r.sendBuckets.expire(time.Now())
	r.expireConflicts()
	r.catchUp()
	r.sweepLater()
}

// catchUp forgets the ended connections that wait for no handler any more.
func (r *registry) catchUp() {
	for delivery := range r.behind {
		if delivery.Idle() {
			delete(r.behind, delivery)
		}
	}
}

func (r *registry) sweepLater() {
	if r.stopping {
		return
	}
	due := min(time.Minute, r.dedup.UntilRotation(time.Now())) // buckets are looked at every minute
	r.sweeper = time.AfterFunc(due, func() { r.node.System.Root.Send(r.self, &sweep{}) })
}
