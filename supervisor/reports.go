package supervisor

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// onConnection handles a report of a connection.
func (r *registry) onConnection(ctx actor.Context, message any) {
	switch msg := message.(type) {
	case *actors.Identified:
		if s := r.slots[msg.PID.Id]; s != nil && !s.closed && !s.hasSuccessor() && s.conn == nil && !r.preloads(s, msg) {
			r.onIdentified(ctx, s, msg)
		}
	case *actors.Verified:
		if s := r.opened(msg.PID); s != nil {
			s.unanswered = &actors.RoutePublished{}
			defer r.answerVerified(ctx, s) // also after a panic: the connection holds its messages back until this answer
			r.onVerified(ctx, s, msg.Strength)
		}
	case *actors.PeerPings:
		if s := r.slots[msg.PID.Id]; s != nil && !s.closed && s.conn != nil {
			r.decideFurther(ctx, s.conn.peer.ID)
		}
	case *actors.Confirmed:
		if s := r.opened(msg.PID); s != nil {
			r.closeDuplicates(ctx, s.conn.peer.ID)
		}
	case *actors.Alive:
		if s := r.opened(msg.PID); s != nil {
			r.onAlive(ctx, s)
		}
	case *actors.Doubted:
		if s := r.opened(msg.PID); s != nil {
			r.onDoubted(ctx, s)
		}
	case *actors.Foreign:
		if s := r.opened(msg.PID); s != nil {
			s.downgradeSeen = true
			r.reportDowngrade(s)
		}
	case *actors.Ended:
		if s := r.slots[msg.PID.Id]; s != nil {
			r.markClosed(ctx, s, msg.End)
		}
	default:
		r.answer(&Failed{Err: fmt.Errorf("%w: %T", errUnknown, msg)})
	}
}

// opened returns the slot of an open connection, or nil if the connection has ended.
func (r *registry) opened(pid *actor.PID) *slot {
	if s := r.slots[pid.Id]; s != nil && !s.closed && s.conn != nil {
		return s
	}
	return nil
}
