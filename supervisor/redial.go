package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// targetLeft looks after the targets when a connection has ended.
func (r *registry) targetLeft(ctx actor.Context, p *place, end actors.End) {
	if t := p.target; t != nil {
		t.place = nil
		if p.conn == nil {
			err := end.Err
			if err == nil {
				err = actors.ErrClosed
			}
			if r.ownDials.reflected(p.challenge) {
				err = ErrOwnAddress
			}
			r.failed(t, err)
		} else if time.Since(t.openedAt) >= healthyBefore {
			t.failures = 0
		}
		if p.conn != nil {
			r.adoptFurther(t, p.conn.peer.ID)
		}
	} else if p.further != "" && p.conn == nil {
		r.furtherFailed(ctx, p.further, end.Err)
	}
	if p.conn == nil {
		return
	}
	for _, t := range r.targets {
		switch {
		case t.place != nil || t.peer != p.conn.peer.ID && t.expect != p.conn.peer.ID:
		case !t.keep:
			r.drop(t)
		case t.timer == nil && r.connected(t) == nil:
			var cause error
			t.displaced, cause = closedAs(end, t.displaced)
			r.later(t, cause)
		}
	}
}

// retarget makes a target agree with the places again, after a panic left it in between: it is being dialled, or
// connected, or its next dial is set.
func (r *registry) retarget(t *target) {
	if p := t.place; p != nil && (p.gone || r.places[p.pid.Id] != p) {
		t.place = nil
	}
	switch p := t.place; {
	case p != nil && p.conn != nil && t.peer != p.conn.peer.ID:
		r.reached(p)
	case p != nil:
	case !t.keep:
		r.drop(t)
	case t.timer == nil && r.connected(t) == nil:
		r.later(t, nil)
	}
}

// failed notes a dial that came to nothing.
func (r *registry) failed(t *target, err error) {
	if r.stopping || r.targets[t.url] != t {
		r.tellWaiting(t, &Connected{Err: peerError(t.address, ErrStopped)})
		return
	}
	r.node.Counters.Inc(actors.DialsFailed)
	r.node.Samples.Warn("dial failed", "address", t.address, "error", err)
	r.tellWaiting(t, &Connected{Err: peerError(t.address, err)})
	if !t.keep {
		r.drop(t)
		return
	}
	pause := r.later(t, err)
	r.happened.Event(DialFailed{Address: t.address, Err: err, RetryIn: pause})
}

// later sets the timer of the next dial. cause is the error of the last one, or the reason for the connection's end.
func (r *registry) later(t *target, cause error) time.Duration {
	if r.stopping {
		return 0
	}
	pause := longPause(cause)
	if pause == 0 {
		t.failures++
		pause = backoff(t.failures, r.random())
	}
	r.stopTimer(t)
	generation := t.generation
	t.timer = time.AfterFunc(pause, func() {
		r.node.System.Root.Send(r.self, &redial{target: t, generation: generation})
	})
	return pause
}

func (r *registry) stopTimer(t *target) {
	t.generation++
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// drop forgets a target.
func (r *registry) drop(t *target) {
	r.stopTimer(t)
	r.tellWaiting(t, &Connected{Err: peerError(t.address, ErrNotConnected)})
	delete(r.targets, t.url)
}
