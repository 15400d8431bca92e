package supervisor

import (
	"context"
	"errors"
	"sync"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// Messages to peers of other members. A sender looks for a local route first; without one it asks the cluster:
//
//	no local route ──▶ the claim of a connection here is undecided ──▶ the hold of the peer
//	               ──▶ otherwise, another member is the home ─────────▶ Cluster.Forward
//	               ──▶ otherwise ─────────────────────────────────────▶ ErrNotConnected

// errElsewhere means that another member holds the peer.
var errElsewhere = errors.New("another member holds the peer")

// elsewhere reports whether another member holds a peer.
func (t *Transport) elsewhere(peerID string) bool {
	c := t.opts.cluster
	if c == nil {
		return false
	}
	home, held := c.Home(peerID)
	return held && home != c.Name()
}

// forward sends a message to a peer that another member holds, and waits for the result or the end of ctx.
func (t *Transport) forward(
	ctx context.Context, peerID string, msg *wire.Message, mode ForwardMode,
) (*wire.Message, error) {
	if err := checkAuthor(msg, t.node.Keys.Identity().ID, peerID); err != nil {
		return nil, peerError(peerID, err)
	}
	wait := t.forwardWaits.get()
	cancel, err := t.opts.cluster.Forward(Forwarding{
		Peer: peerID, Message: msg, Mode: mode, Endless: ctx.Done() == nil,
	}, wait.done)
	if err != nil {
		t.forwardWaits.put(wait)
		t.countForwarded(err)
		return nil, peerError(peerID, err)
	}
	select {
	case result := <-wait.result:
		t.forwardWaits.put(wait)
		t.countForwarded(result.Err)
		return result.Reply, peerError(peerID, result.Err)
	case <-ctx.Done():
		cancel()
		t.countForwarded(ctx.Err())
		if mode == ForwardConfirmed {
			return nil, peerError(peerID, &UnconfirmedError{ctx.Err()})
		}
		return nil, peerError(peerID, ctx.Err())
	}
}

// forwardWait is the wait for the result of one message. When its result was received, it can serve another message.
type forwardWait struct {
	result chan Forwarded
	done   func(Forwarded) // called at most once for each message
}

// forwardWaits recycles waits. Safe for concurrent use.
type forwardWaits struct{ pool sync.Pool }

func (p *forwardWaits) get() *forwardWait {
	if w, ok := p.pool.Get().(*forwardWait); ok {
		return w
	}
	results := make(chan Forwarded, 1)
	return &forwardWait{result: results, done: func(result Forwarded) { results <- result }}
}

func (p *forwardWaits) put(w *forwardWait) { p.pool.Put(w) }

// countForwarded counts one message to a peer of another member.
func (t *Transport) countForwarded(err error) {
	if err != nil {
		t.counters.Inc(actors.ClusterForwardFailed)
	} else {
		t.counters.Inc(actors.ClusterForwarded)
	}
}

// forwardSend handles a Send message for a peer that another member holds. It returns false if none does.
func (r *registry) forwardSend(msg *Send) bool {
	t := r.transport
	if !t.elsewhere(msg.Peer) {
		return false
	}
	err := checkAuthor(msg.Message, r.node.Keys.Identity().ID, msg.Peer)
	if err != nil {
		r.answer(&Sent{Err: peerError(msg.Peer, err)})
		return true
	}
	reply := r.takeReply()
	sent := func(result Forwarded) {
		t.countForwarded(result.Err)
		if reply != nil {
			reply(&Sent{Err: peerError(msg.Peer, result.Err)})
		}
	}
	what := Forwarding{Peer: msg.Peer, Message: msg.Message, Mode: ForwardQueued}
	if _, err := r.cluster.Forward(what, sent); err != nil {
		sent(Forwarded{Err: err})
	}
	return true
}
