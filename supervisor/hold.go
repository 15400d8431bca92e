package supervisor

import (
	"context"
	"errors"

	"github.com/Snider/go-p2p/wire"
)

// hold is the wait of senders for the route to a connected peer. It ends when the peer gets a route, or when no
// connection can become one any more: the messages that waited then fail. routeTable.mu guards the counts. Either
// a pinned peer has accepted no session, and its first frame decides: if the ack alone were trusted, a relay could move
// the first messages to SMSG, which has no forward secrecy. Or the claim for the peer in the cluster is undecided.
//
//	Transport.Send:   routeFor ── join ──▶ goroutine of the caller waits for ended ──▶ leave, send by route
//	Send to the PID:  holdSend ── join ──▶ heldSends of the peer ──▶ resumeSends: leave, onSend again
type hold struct {
	ended    chan struct{}
	route    route // set before ended is closed; empty: the hold ended without a route
	messages int   // that wait
	bytes    int   // of their payloads

	then []func(route) // called in order at the end
}

// reserve counts one waiting message of size bytes, or returns ErrQueueFull. The limits are those of a peer's queue.
func (h *hold) reserve(size int, cfg *TransportConfig) error {
	if h.messages >= cfg.QueueMessages || int64(h.bytes+size) > cfg.QueueBytes {
		return ErrQueueFull
	}
	h.messages++
	h.bytes += size
	return nil
}

// endHold ends the hold of a peer, if there is one. t.mu is held.
func (t *routeTable) endHold(peerID string, via route) {
	if h := t.holds[peerID]; h != nil {
		h.route = via
		close(h.ended)
		delete(t.holds, peerID)
		if len(h.then) > 0 {
			go func() {
				for _, next := range h.then {
					next(via)
				}
			}()
		}
	}
}

// whenRouted makes the end of a peer's hold call send with the route, which may be empty. It returns false if the peer
// is not held, and ErrQueueFull if too many messages wait.
func (t *routeTable) whenRouted(
	peerID string, msg *wire.Message, cfg *TransportConfig, send func(route),
) (held bool, err error) {
	if t.get(peerID) != nil {
		return false, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.holds[peerID]
	if h == nil {
		return false, nil
	}
	if err := h.reserve(payloadSize(msg), cfg); err != nil {
		return false, err
	}
	h.then = append(h.then, send)
	return true, nil
}

// join reserves space for a message in the hold of a peer. It returns nil if the peer is not held.
func (t *routeTable) join(peerID string, msg *wire.Message, cfg *TransportConfig) (*hold, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.holds[peerID]
	if h == nil {
		return nil, nil
	}
	return h, h.reserve(payloadSize(msg), cfg)
}

// leave undoes join.
func (t *routeTable) leave(h *hold, msg *wire.Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h.messages--
	h.bytes -= payloadSize(msg)
}

func payloadSize(msg *wire.Message) int {
	if msg == nil {
		return 0
	}
	return len(msg.Payload)
}

// routeFor returns the route to a peer for a message. If the peer is held, it waits until the hold or ctx ends. The
// errors are ErrNotConnected (also ErrUnverified), ErrQueueFull, ctx's, and errElsewhere if another member holds the
// peer.
func (t *Transport) routeFor(ctx context.Context, peerID string, msg *wire.Message) (route, error) {
	via, err := t.routeHere(ctx, peerID, msg)
	if errors.Is(err, ErrNotConnected) && t.elsewhere(peerID) {
		err = errElsewhere
	}
	return via, err
}

// routeHere is routeFor without the other members.
func (t *Transport) routeHere(ctx context.Context, peerID string, msg *wire.Message) (route, error) {
	if via := t.routes.route(peerID); via.conn != nil {
		return via, nil
	}
	h, err := t.routes.join(peerID, msg, t.live.Load())
	if err != nil {
		return route{}, err
	}
	if h == nil {
		if via := t.routes.route(peerID); via.conn != nil { // the hold ended meanwhile
			return via, nil
		}
		return route{}, t.routes.missing(peerID)
	}
	defer t.routes.leave(h, msg)
	select {
	case <-h.ended:
	case <-ctx.Done():
		return route{}, ctx.Err()
	}
	if h.route.conn == nil {
		return route{}, ErrNotConnected
	}
	return h.route, nil
}

// heldSend is a Send message whose answer waits for the end of a hold.
type heldSend struct {
	msg   *Send
	hold  *hold
	reply func(answer any)
}

// holdSend keeps a Send message until the hold of its peer ends. It returns false if the peer is not held.
func (r *registry) holdSend(msg *Send) bool {
	h, err := r.routes.join(msg.Peer, msg.Message, r.cfg)
	switch {
	case err != nil:
		r.answer(&Sent{Err: peerError(msg.Peer, err)})
	case h == nil:
		return false
	default:
		state := r.state(msg.Peer)
		state.heldSends = append(state.heldSends, heldSend{msg: msg, hold: h, reply: r.takeReply()})
	}
	return true
}

// resumeSends handles the Send messages of a peer whose hold has ended.
func (r *registry) resumeSends(state *peerState) {
	held := state.heldSends
	state.heldSends = nil
	r.resumeAll(held)
}

// resumeAll handles each of the messages, also after one whose handling called runtime.Goexit.
func (r *registry) resumeAll(held []heldSend) {
	next := 0
	defer func() {
		if next < len(held) {
			r.resumeAll(held[next:])
		}
	}()
	for next < len(held) {
		next++
		r.resumeSend(held[next-1])
	}
}

// resumeSend handles one message. A panic fails only this message: it is answered, and the registry goes on with its
// current message.
func (r *registry) resumeSend(next heldSend) {
	r.routes.leave(next.hold, next.msg.Message)
	current := r.reply
	defer func() { r.reply = current }()
	r.reply = next.reply
	r.containFault(func() { r.onSend(next.msg) })
	r.containFault(func() { r.answer(failed(next.msg, errInternal)) }) // unless it is answered or held again
}

// containFault runs a part of the current message. A panic ends only this part.
func (r *registry) containFault(run func()) {
	defer func() {
		if fault := recover(); fault != nil {
			r.noteFault(fault)
		}
	}()
	run()
}

// holding reports whether one of a peer's connections is held.
func (r *registry) holding(id string) bool {
	for _, s := range r.peers[id] {
		if s.held && !s.rank.strength.Verified() {
			return true
		}
	}
	return false
}
