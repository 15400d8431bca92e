package supervisor

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Deliver implements ClusterLocal. It sends over local connections only. While this member's claim for the peer is
// undecided, the message waits in the hold of the peer.
func (l clusterLocal) Deliver(f Forwarding, done func(Forwarded)) (cancel func()) {
	t := l.t
	if err := checkAuthor(f.Message, t.node.Keys.Identity().ID, f.Peer); err != nil {
		done(Forwarded{Err: err})
		return nil
	}
	if f.Mode == ForwardConfirmed || f.Mode == ForwardAnswered {
		return t.converse(f, done)
	}
	gathering := f.Gathering
	f.Gathering = nil // only for this goroutine
	d := &delivery{t: t, what: f, done: done}
	via := t.routes.route(f.Peer)
	if via.conn == nil {
		held, err := t.routes.whenRouted(f.Peer, f.Message, t.live.Load(), d.send)
		if err != nil {
			done(Forwarded{Err: err})
		}
		if held || err != nil {
			return d.cancel
		}
		via = t.routes.route(f.Peer)
	}
	d.post(via, gathering)
	return d.cancel
}

// converse sends a message whose result depends on an answer of the peer, on another goroutine.
func (t *Transport) converse(f Forwarding, done func(Forwarded)) (cancel func()) {
	cancel, begun := t.conversations.begin(func(ctx context.Context) {
		var result Forwarded
		if f.Mode == ForwardAnswered {
			result.Reply, result.Err = t.requestHere(ctx, f.Peer, f.Message)
		} else {
			result.Err = t.sendConfirmedHere(ctx, f.Peer, f.Message)
		}
		done(result)
	})
	if !begun {
		done(Forwarded{Err: ErrStopped})
	}
	return cancel
}

// conversations are the goroutines of converse. Stop ends them and waits for them. Safe for concurrent use.
type conversations struct {
	mu      sync.Mutex
	ctx     context.Context // nil: there was none
	stop    context.CancelFunc
	closed  bool
	running sync.WaitGroup
}

// begin runs a conversation, unless they are closed. Its context ends with cancel and with close.
func (c *conversations) begin(run func(ctx context.Context)) (cancel func(), begun bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, false
	}
	if c.ctx == nil {
		c.ctx, c.stop = context.WithCancel(context.Background())
	}
	ctx, cancel := context.WithCancel(c.ctx)
	c.running.Go(func() {
		defer cancel()
		run(ctx)
	})
	return cancel, true
}

// close ends all conversations, and returns when they have ended.
func (c *conversations) close() {
	c.mu.Lock()
	c.closed = true
	if c.stop != nil {
		c.stop()
	}
	c.mu.Unlock()
	c.running.Wait()
}

// delivery is a message of another member on its way to a peer of this one. It implements actors.Result.
type delivery struct {
	t    *Transport
	what Forwarding
	done func(Forwarded)

	cancelled atomic.Bool
	ended     atomic.Bool                    // the result is known
	on        atomic.Pointer[PeerConnection] // nil: not enqueued
	timer     atomic.Pointer[time.Timer]     // withdraws the message; nil: never
}

// send enqueues the message on a route.
func (d *delivery) send(via route) { d.post(via, nil) }

// post is send whose writer waits for the gathering, if there is one.
func (d *delivery) post(via route, gathering *actors.Gathering) {
	switch {
	case d.cancelled.Load():
		d.end(context.Canceled)
		return
	case via.conn == nil:
		d.end(d.t.routes.missing(d.what.Peer))
		return
	}
	for _, alternate := range via.alternates {
		_ = alternate.Post(d.what.Message) // the route's result counts
	}
	if d.what.Mode == ForwardQueued {
		d.end(gathering.PostFor(via.conn.handle, d.what.Message, nil))
		return
	}
	d.on.Store(via.conn)
	if after := via.conn.handle.WithdrawAfter(); d.what.Endless && after > 0 && d.timer.Load() == nil {
		d.timer.Store(time.AfterFunc(after, func() { d.onLate(after) }))
	}
	if err := gathering.PostFor(via.conn.handle, d.what.Message, d); err != nil {
		d.Resolve(err)
	}
}

// Resolve implements actors.Result. If the connection has ended and another one is the route, the message is sent
// there; if the peer has it already, it drops the copy.
func (d *delivery) Resolve(err error) {
	if errors.Is(err, ErrClosed) {
		if next := d.t.routes.route(d.what.Peer); next.conn != nil && next.conn != d.on.Load() {
			d.send(next)
			return
		}
	}
	d.end(err)
}

func (d *delivery) end(err error) {
	d.ended.Store(true)
	if timer := d.timer.Load(); timer != nil {
		timer.Stop()
	}
	d.done(Forwarded{Err: err})
}

// onLate withdraws a message that still waits for the peer's rate limit. One that is being written may wait later.
func (d *delivery) onLate(after time.Duration) {
	if d.ended.Load() || d.withdraw(ErrPaced) {
		return
	}
	if timer := d.timer.Load(); timer != nil {
		timer.Reset(after)
	}
}

// cancel withdraws the message if it still waits for the peer's rate limit or for a route.
func (d *delivery) cancel() {
	d.cancelled.Store(true)
	d.withdraw(context.Canceled)
}

func (d *delivery) withdraw(cause error) bool {
	c := d.on.Load()
	if c == nil || !c.handle.Withdraw(d) {
		return false
	}
	d.end(cause)
	return true
}

// DeliverBroadcast implements ClusterLocal. After Stop of the transport, done is not called.
func (l clusterLocal) DeliverBroadcast(msg *wire.Message, role crypto.NodeRole, done func(MemberBroadcast)) {
	l.t.tell(&question{message: &Broadcast{Message: msg, Role: role, here: done}, reply: func(answer any) {
		result, err := answerAs[*Broadcasted](answer)
		if err == nil {
			err = result.Err
		}
		done(MemberBroadcast{BroadcastResult: BroadcastResult{Refused: err}}) // otherwise the registry has called it
	}})
}
