package supervisor

import "github.com/asynkron/protoactor-go/actor"

// following keeps the order of a caller's messages while the broadcaster works: a message to a peer, or one that closes
// connections, waits until the broadcasts before it are enqueued, and later broadcasts wait for it. Other messages do
// not wait. Owned by the registry.
//
//	Broadcast 1, Broadcast 2, Send, Broadcast 3 ──▶ 1 and 2 are handed over; Send and 3 wait
//	finished 2                                  ──▶ Send goes on, 3 is handed over
type following struct {
	accepted uint64 // broadcasts handed to the broadcaster
	finished uint64 // of these, enqueued for all of their peers
	waiting  []follower
}

// follower is a message that waits for a broadcast.
type follower struct {
	message any
	reply   func(answer any)
}

// keep stores a message that has to wait, and reports whether it has to.
func (f *following) keep(message any, reply func(answer any)) bool {
	if f.finished == f.accepted && len(f.waiting) == 0 {
		return false
	}
	switch message.(type) {
	case *Broadcast:
		if len(f.waiting) == 0 {
			return false
		}
	case *Send, *Request, *Disconnect, *DisconnectConnection, *authChanged, *shutdown, *stopNow:
	default:
		return false
	}
	f.waiting = append(f.waiting, follower{message: message, reply: reply})
	return true
}

// next removes and returns the first waiting message if it can go on, and reports whether it can.
func (f *following) next() (first follower, found bool) {
	if len(f.waiting) == 0 {
		return follower{}, false
	}
	first = f.waiting[0]
	if _, broadcast := first.message.(*Broadcast); !broadcast && f.finished != f.accepted {
		return follower{}, false
	}
	f.waiting[0] = follower{}
	if f.waiting = f.waiting[1:]; len(f.waiting) == 0 {
		f.waiting = nil
	}
	return first, true
}

// resumeFollowing processes the waiting messages that can go on.
func (r *registry) resumeFollowing(ctx actor.Context) {
	for {
		next, found := r.following.next()
		if !found {
			return
		}
		r.process(ctx, next.message, next.reply)
	}
}

// failFollowing answers the messages that still wait when the registry stops.
func (r *registry) failFollowing() {
	for _, f := range r.following.waiting {
		if f.reply != nil {
			f.reply(failed(f.message, ErrStopped))
		}
	}
	r.following.waiting = nil
}
