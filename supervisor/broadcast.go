package supervisor

import "github.com/asynkron/protoactor-go/actor"

// onSend enqueues a message on the route to its peer.
func (r *registry) onSend(msg *Send) {
	via := r.routes.route(msg.Peer)
	if via.conn == nil {
		if r.holdSend(msg) {
			return
		}
		r.answer(&Sent{Err: peerError(msg.Peer, r.routes.missing(msg.Peer))})
		return
	}
	for _, alternate := range via.alternates {
		_ = alternate.Post(msg.Message) // the route's result counts
	}
	r.answer(&Sent{Err: via.conn.Post(msg.Message)})
}

// maxGathered is the largest number of broadcasts that wait for the start of the writers.
const maxGathered = 16

// startWriters starts the writers of the gathered broadcasts, if there are any.
func (r *registry) startWriters() {
	if r.gathered == 0 {
		return
	}
	r.several, r.gathered = r.gathered > 1, 0
	r.gathering.Flush()
}

// onBroadcast enqueues a message, encoded once, for every connected peer of its role except its author. It never waits.
// The writers start behind the broadcasts that are in the mailbox by now: each peer gets them in one write. Those of a
// broadcast that is expected to come alone, as the last one did, start at once.
func (r *registry) onBroadcast(ctx actor.Context, msg *Broadcast) {
	err := checkAuthor(msg.Message, r.node.Keys.Identity().ID, "")
	if err != nil {
		r.answer(&Broadcasted{Err: err})
		return
	}
	broadcast := r.node.Broadcast
	if r.several || r.gathered > 0 {
		broadcast = r.gathering.Broadcast
	}
	post, err := broadcast(msg.Message)
	if err != nil {
		r.answer(&Broadcasted{Err: err})
		return
	}
	if r.gathered++; r.gathered == 1 {
		ctx.Send(r.self, &gathered{})
	}
	result, author := &Broadcasted{}, r.routes.get(msg.Message.From)
	for _, via := range r.routes.allRoutes() {
		c := via.conn
		if c == author || msg.Role != "" && c.peer.Role != msg.Role {
			continue
		}
		for _, alternate := range via.alternates {
			_ = post(alternate.handle) // the route's result counts
		}
		if err := post(c.handle); err != nil {
			result.Failed = append(result.Failed, SendFailure{Peer: c.peer.ID, Err: err})
			continue
		}
		result.Sent++
	}
	if r.gathered >= maxGathered {
		r.startWriters()
	}
	r.answer(result)
}
