package supervisor

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// Parameters of Drain.
const (
	drainNotice   = 2 * time.Second       // between the refusal of new peers and the first goodbye
	drainWindow   = 512                   // peers that were told and have no other home yet
	drainPatience = 2 * time.Second       // after which a peer without another home no longer counts
	drainEvery    = 20 * time.Millisecond // between two looks for other homes
)

// reasonDraining is the reason of the disconnect messages of Drain.
const reasonDraining = "this process is leaving: connect again"

// Drain moves the peers of this member to the other members of the cluster, before Stop. From its call on, new
// connections are refused and no address is dialled; Accepting returns false, so that a load balancer chooses other
// members. After two seconds the listener is closed, and the peers get a disconnect message with code 1001, 512 at a
// time: the next ones as these are connected to other members, or after two seconds. Drain returns when that is so for
// all, or with ctx's error when ctx ends, or with ErrStopped. Without a cluster, or if no other member is alive, it
// does nothing. It cannot be undone. Safe for concurrent use.
func (t *Transport) Drain(ctx context.Context) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	if t.opts.cluster == nil || t.PID() == nil || !OthersAlive(t.opts.cluster.Members()) {
		return nil
	}
	t.draining.Store(true)
	t.opts.cluster.Drain()
	if _, err := ask[*drainBegun](ctx, t, &beginDrain{}); err != nil {
		return err
	}
	notice := time.NewTimer(drainNotice)
	defer notice.Stop()
	select {
	case <-notice.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	t.closeListener()
	_, err := ask[*drained](ctx, t, &drainPeers{})
	return err
}

// closeListener stops accepting connections.
func (t *Transport) closeListener() {
	t.mu.Lock()
	l := t.listener
	t.mu.Unlock()
	if l != nil {
		l.close()
	}
}

type (
	// beginDrain asks to refuse new peers. The answer is drainBegun.
	beginDrain struct{}
	drainBegun struct{}
	// drainPeers asks to tell all peers. The answer is drained, when that is done.
	drainPeers struct{}
	drained    struct{}
	// drainDue is the timer of the next look for other homes.
	drainDue struct{}
)

func (*beginDrain) fromTransport() {}
func (*drainPeers) fromTransport() {}
func (*drainDue) fromTransport()   {}

// drain is the registry's state of Transport.Drain.
type drain struct {
	begun   bool                 // new peers are refused
	told    map[string]time.Time // by node ID: peers that count for drainWindow
	replies []func(answer any)   // callers that wait for the end
	timer   *time.Timer
}

// leaving reports whether this node admits and dials no peer any more.
func (r *registry) leaving() bool { return r.stopping || r.drain.begun }

// leavingError returns why this process neither dials nor admits peers: ErrStopped, ErrDraining, or nil.
func (r *registry) leavingError() error {
	switch {
	case r.stopping:
		return ErrStopped
	case r.drain.begun:
		return ErrDraining
	default:
		return nil
	}
}

func (r *registry) onDrainPeers(ctx actor.Context) {
	r.drain.replies = append(r.drain.replies, r.takeReply())
	if r.drain.told == nil {
		r.drain.told = make(map[string]time.Time)
	}
	if len(r.drain.replies) == 1 { // otherwise peers are being told
		r.tellPeers(ctx)
	}
}

// tellPeers tells as many further peers as the window permits, and ends the drain when no peer is left.
func (r *registry) tellPeers(ctx actor.Context) {
	d, now := &r.drain, time.Now()
	if r.stopping {
		return // onShutdown tells the rest
	}
	for id, at := range d.told {
		if r.elsewhere(id) != "" || now.Sub(at) >= drainPatience {
			delete(d.told, id)
		}
	}
	left := 0
	for id, list := range r.peers {
		if _, waits := d.told[id]; waits || list[0].leaving {
			continue
		}
		if len(d.told) >= drainWindow {
			left++
			continue
		}
		d.told[id] = now
		r.tellPeer(ctx, list)
	}
	if left+len(d.told) == 0 {
		r.endDrain()
		return
	}
	d.timer = time.AfterFunc(drainEvery, func() { r.node.System.Root.Send(r.self, &drainDue{}) })
}

func (r *registry) tellPeer(ctx actor.Context, list []*slot) {
	for _, s := range list {
		s.leaving = true
		ctx.Send(s.pid, &actors.CloseGracefully{End: actors.End{
			Code: wire.DisconnectGoingAway, Reason: reasonDraining,
		}})
	}
}

// endDrain answers the callers of Drain.
func (r *registry) endDrain() {
	if r.drain.timer != nil {
		r.drain.timer.Stop()
	}
	for _, reply := range r.drain.replies {
		if reply != nil {
			reply(&drained{})
		}
	}
	r.drain.replies = nil
}
