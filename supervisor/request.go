package supervisor

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// replies holds the requests that await an answer. Safe for concurrent use.
type replies struct {
	mu      sync.Mutex
	waiting map[request]*waiter // first waiter of a list
}

// request identifies one message to one peer. One message may go to several peers, and several callers may send it to
// the same peer.
type request struct{ peer, id string }

// waiter is one caller that awaits the answer to a request. The lock of replies guards it.
type waiter struct {
	next  *waiter       // waiter of the same request
	done  chan struct{} // closed when reply is set
	reply wire.Message
}

func newReplies() *replies { return &replies{waiting: make(map[request]*waiter)} }

// expect registers a caller for the answer to a request.
func (r *replies) expect(to request) *waiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &waiter{next: r.waiting[to], done: make(chan struct{})}
	r.waiting[to] = w
	return w
}

// forget removes a caller registered by expect.
func (r *replies) forget(to request, w *waiter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.waiting[to]
	for at := &first; *at != nil; at = &(*at).next {
		if *at == w {
			*at = w.next
			break
		}
	}
	if first == nil {
		delete(r.waiting, to)
	} else {
		r.waiting[to] = first
	}
}

// deliver passes an answer to every caller that awaits it, because a peer answers a repeated message only once. Each
// caller gets its own copy.
func (r *replies) deliver(peerID string, msg *wire.Message) {
	from := request{peer: peerID, id: msg.ReplyTo}
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.waiting[from]
	delete(r.waiting, from)
	for w := first; w != nil; w = w.next {
		w.reply = *msg
		w.reply.Payload = bytes.Clone(msg.Payload)
		close(w.done)
	}
}

// copied returns a deep copy of a message, or nil for nil.
func copied(msg *wire.Message) *wire.Message {
	if msg == nil {
		return nil
	}
	own := *msg
	own.Payload = bytes.Clone(msg.Payload)
	return &own
}

// DefaultRequestTimeout is the time that Request waits for an answer.
const DefaultRequestTimeout = 10 * time.Second

// Request is RequestContext with a timeout of DefaultRequestTimeout. The error is then context.DeadlineExceeded.
func (t *Transport) Request(peerID string, msg *wire.Message) (*wire.Message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), DefaultRequestTimeout)
	defer cancel()
	return t.RequestContext(ctx, peerID, msg)
}

// RequestContext sends a message to a peer and returns a copy of the first message, over a verified connection of that
// peer, whose replyTo is the message's id. One message may be requested from several peers. Concurrent requests of one
// message from one peer share one answer, because the peer drops the repeated message as a duplicate. A later attempt
// needs a new message, see wire.Message.Renew.
//
// It waits until ctx ends, or until the connection ends while the peer has no other one. If another connection becomes
// the route, it continues to wait. OnMessage gets the answer too. An answer of type error is returned as a
// *wire.RemoteError inside a PeerError. The other errors are those of SendContext, and ctx's.
func (t *Transport) RequestContext(ctx context.Context, peerID string, msg *wire.Message) (*wire.Message, error) {
	if err := checkContext(ctx); err != nil {
		return nil, peerError(peerID, err)
	}
	via, err := t.routeFor(ctx, peerID, msg)
	var reply *wire.Message
	switch {
	case err == errElsewhere:
		reply, err = t.forward(ctx, peerID, msg, ForwardAnswered)
	case err != nil:
		return nil, peerError(peerID, err)
	default:
		reply, err = t.requestVia(ctx, via, peerID, msg)
	}
	if err != nil {
		return nil, err
	}
	if remote := wire.NewRemoteError(reply); remote != nil {
		return nil, peerError(peerID, remote)
	}
	return reply, nil
}

// requestHere is RequestContext without the other members. It returns an answer of type error as it is.
func (t *Transport) requestHere(ctx context.Context, peerID string, msg *wire.Message) (*wire.Message, error) {
	via, err := t.routeHere(ctx, peerID, msg)
	if err != nil {
		return nil, err
	}
	return t.requestVia(ctx, via, peerID, msg)
}

func (t *Transport) requestVia(
	ctx context.Context, via route, peerID string, msg *wire.Message,
) (*wire.Message, error) {
	if msg == nil {
		return nil, peerError(peerID, errNoMessage)
	}
	to := request{peer: peerID, id: msg.ID}
	answer := t.replies.expect(to)
	defer t.replies.forget(to, answer)
	if _, err := t.sendVia(ctx, via, peerID, msg); err != nil {
		return nil, err
	}
	return t.awaitReply(ctx, via.conn, answer)
}

// awaitReply waits for the answer to a message. c was the route to the peer before the message was sent.
func (t *Transport) awaitReply(ctx context.Context, c *PeerConnection, answer *waiter) (*wire.Message, error) {
	id := c.peer.ID
	for {
		select {
		case <-answer.done:
			return &answer.reply, nil
		case <-ctx.Done():
			return nil, peerError(id, ctx.Err())
		case <-c.handle.Done():
		}
		ended := c
		if c = t.routes.get(id); c != nil && c != ended {
			continue // another connection is the route
		}
		select {
		case <-answer.done:
			return &answer.reply, nil
		default:
			return nil, peerError(id, ErrClosed)
		}
	}
}
