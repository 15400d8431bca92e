package supervisor

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// markClosed removes a connection from the tables of its peer. The registry calls it when the connection reports its
// end and again when the actor has terminated; the second call does nothing.
//
// The order of the steps is fixed:
//
//	route table: the next connection of the peer becomes the route, or the entry is removed
//	events:      PeerMoved or PeerDown, in order with the messages of the connection
//	peer book:   LastSeen; reads the program's clock, which may panic
//	dial target: the next dial is scheduled
func (r *registry) markClosed(ctx actor.Context, s *slot, end actors.End) {
	if s.closed {
		return
	}
	s.closed = true
	if s.conn != nil {
		id := s.conn.peer.ID
		announced := r.state(id).announced
		r.established--
		r.peers[id] = slices.DeleteFunc(r.peers[id], func(other *slot) bool { return other == s })
		r.reroute(ctx, id)
		if down := r.announceDown(id, announced); down {
			r.bus.announce(s.conn, PeerDown{
				Peer: id, Name: s.conn.peer.Name, Code: end.Code, Reason: end.Reason, Remote: end.Remote,
				Member: r.transport.Member(), MovedTo: r.elsewhere(id),
			})
		}
		// The following calls may run code of the program, at least its clock, so they follow the changes of the tables.
		r.keepSendBucket(s)
		if s.rank.strength.Verified() {
			now := r.node.Clock().UTC() // read here: the book calls the function with its lock held
			r.book.Update(id, func(known *Peer) { known.LastSeen = now })
		}
	}
	r.advanceTargets(ctx, s, end)
	if s.conn != nil && s.conn.Verified() {
		r.verifiedEnded(ctx, s)
	}
}

// announceDown reports whether PeerDown is due. If the program knows the peer as verified, it is due when no verified
// connection is left. If the program knows the peer as unverified, it is due when no connection is left.
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

// onExpire drops expired entries of all tables.
func (r *registry) onExpire() {
	r.dedup.Rotate(time.Now())
	r.fitDedup()
	r.dropBuckets()
	r.rates.prune(time.Now())
	r.sendBuckets.expire(time.Now())
	r.expireConflicts()
	r.rollbacks.expire(time.Now())
	r.sessionsOff.expire(time.Now())
	r.pruneLagging()
	r.moves.expire(time.Now())
	r.scheduleExpire()
}

// pruneLagging drops ended connections whose handlers have caught up.
func (r *registry) pruneLagging() {
	for inbox := range r.lagging {
		if inbox.Idle() {
			delete(r.lagging, inbox)
		}
	}
}

func (r *registry) scheduleExpire() {
	if r.stopping {
		return
	}
	due := min(time.Minute, r.dedup.UntilRotation(time.Now())) // buckets expire within a minute
	r.expireTimer = time.AfterFunc(due, func() { r.node.System.Root.Send(r.self, &expire{}) })
}
