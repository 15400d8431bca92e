package supervisor

import (
	"context"
	"sync"

	"github.com/Snider/go-p2p/wire"
)

// replies are the answers that somebody waits for. It implements actors.ReplyRouter. Safe for concurrent use.
type replies struct {
	mu      sync.Mutex
	waiting map[string]waiter // by the request's id
}

type waiter struct {
	peer   string
	answer chan *wire.Message // has room for the one answer
}

func newReplies() *replies { return &replies{waiting: make(map[string]waiter)} }

// expect notes that an answer to id is awaited from peer.
func (r *replies) expect(id, peer string) <-chan *wire.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := make(chan *wire.Message, 1)
	r.waiting[id] = waiter{peer: peer, answer: answer}
	return answer
}

func (r *replies) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, id)
}

// Reply implements actors.ReplyRouter. An answer counts only when it comes from the peer that was asked.
func (r *replies) Reply(peerID string, msg *wire.Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, ok := r.waiting[msg.ReplyTo]
	if !ok || w.peer != peerID {
		return false
	}
	delete(r.waiting, msg.ReplyTo)
	w.answer <- msg
	return true
}

// Request sends a message and waits for the answer: see RequestContext.
func (t *Transport) Request(peerID string, msg *wire.Message) (*wire.Message, error) {
	return t.RequestContext(context.Background(), peerID, msg)
}

// RequestContext sends a message to a peer and returns the message that answers it: the first one over a connection
// of that peer whose replyTo is the message's id. It waits until ctx ends or the connection that carried the request
// does. OnMessage sees the answer too. Its errors are those of SendContext, and ctx's.
func (t *Transport) RequestContext(ctx context.Context, peerID string, msg *wire.Message) (*wire.Message, error) {
	c := t.directory.get(peerID)
	if c == nil {
		return nil, peerError(peerID, ErrNotConnected)
	}
	if msg == nil {
		return nil, c.SendContext(ctx, nil) // which says so
	}
	answer := t.replies.expect(msg.ID, peerID)
	defer t.replies.forget(msg.ID)
	if err := c.SendContext(ctx, msg); err != nil {
		return nil, err
	}
	select {
	case reply := <-answer:
		return reply, nil
	case <-ctx.Done():
		return nil, peerError(peerID, ctx.Err())
	case <-c.handle.Done():
		select {
		case reply := <-answer:
			return reply, nil
		default:
			return nil, peerError(peerID, ErrClosed)
		}
	}
}
