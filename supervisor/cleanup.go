package supervisor

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// markClosed takes a connection out of service. It may be called twice for one: when it says that it ends, and when its
// actor is gone.
func (r *registry) markClosed(ctx actor.Context, s *slot, end actors.End) {
	if s.closed {
		return
	}
	s.closed = true
	if s.conn != nil {
		id := s.conn.peer.ID
		announced := r.state(id).announced
		r.peers[id] = slices.DeleteFunc(r.peers[id], func(other *slot) bool { return other == s })
		r.reroute(ctx, id)
		if down := r.announceDown(id, announced); down {
			s.conn.delivery.Event(PeerDown{
				Peer: id, Name: s.conn.peer.Name, Code: end.Code, Reason: end.Reason, Remote: end.Remote,
			})
		}
		// The rest may run code of the program's, a clock at least, and comes after the tables.
		r.keepSendBucket(s)
		if s.rank.strength.Verified() {
			r.book.Update(id, func(known *Peer) { known.LastSeen = r.node.Clock().UTC() })
		}
	}
	r.advanceTargets(ctx, s, end)
	if s.conn != nil && s.conn.Verified() {
		r.verifiedEnded(ctx, s)
	}
}

// announceDown reports whether the program has to be told that a peer is gone: it knows the peer as verified and no
// verified connection is left, or as unverified and no connection is left at all.
func (r *registry) announceDown(id string, announced announcedState) bool {
	left := r.peers[id]
	verified := slices.ContainsFunc(left, func(s *slot) bool { return s.rank.strength.Verified() })
	if announced == announcedNothing || verified || announced == announcedUp && len(left) > 0 {
		return false
	}
	if state := r.states[id]; state != nil {
		state.announced = announcedNothing
	}
	return true
}

// onExpire drops what has expired.
func (r *registry) onExpire() {
	r.dedup.Rotate(time.Now())
	r.fitDedup()
	r.dropBuckets()
	r.sendBuckets.expire(time.Now())
	r.expireConflicts()
	r.pruneLagging()
	r.scheduleExpire()
}

// pruneLagging forgets the ended connections that wait for no handler any more.
func (r *registry) pruneLagging() {
	for delivery := range r.lagging {
		if delivery.Idle() {
			delete(r.lagging, delivery)
		}
	}
}

func (r *registry) scheduleExpire() {
	if r.stopping {
		return
	}
	due := min(time.Minute, r.dedup.UntilRotation(time.Now())) // buckets are looked at every minute
	r.expireTimer = time.AfterFunc(due, func() { r.node.System.Root.Send(r.self, &expire{}) })
}
