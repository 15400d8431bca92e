package supervisor

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

// advance passes an event to the state machine of a target, and carries out and returns the action. cause is the error
// of the last dial, or the reason for the end of the connection. It determines the pause before the next dial.
func (r *registry) advance(ctx actor.Context, t *dialTarget, event dialEvent, cause error) dialAction {
	if r.targets[t.url] != t {
		return dialNothing // removed
	}
	barred := r.barred(t)
	next, action := t.state.step(event, dialFacts{
		stopping: r.leaving(), kept: t.keep, callers: len(t.callers) > 0,
		connected: r.connected(t) != nil, elsewhere: r.keptElsewhere(t), revoked: barred != nil,
		rival: r.rivalOf(t) > 0,
	})
	t.state = next
	if next != dialWaiting || action == dialPause || action == dialYield {
		t.stopTimer()
	}
	switch action {
	case dialStart:
		r.startTarget(ctx, t)
	case dialPause:
		r.pause(t, cause)
	case dialYield:
		t.yields = true
		r.setTimer(t, r.rivalOf(t))
	case dialRefuse:
		t.lastErr = barred
		r.node.LimitedLog.Warn("not dialled", "address", t.address, "error", barred)
		r.answerCallers(t, &Connected{Err: peerError(t.address, barred)})
		if !t.keep {
			r.forgetTarget(ctx, t)
		}
	case dialForget:
		r.forgetTarget(ctx, t)
	case dialNothing:
	}
	return action
}

// startTarget dials a target. If no slot is free, it evicts a handshake and dials when that slot is free. If no
// handshake can be evicted, the dial fails and is counted.
func (r *registry) startTarget(ctx actor.Context, t *dialTarget) {
	t.startedAt = time.Now() // the wait for a slot included
	free := admit(occupancy{conns: len(r.slots)}, r.cfg, false) == admitted
	if !free && r.evictForDial(ctx, t) {
		return
	}
	r.node.Counters.Inc(actors.Dials)
	if !free {
		r.dialFailed(ctx, t, ErrNoRoom)
		return
	}
	s, err := r.startDial(ctx, t.address, r.nextURL(t), t.expect)
	if err != nil {
		r.dialFailed(ctx, t, err)
		return
	}
	s.target, t.slot = t, s
}

// resumeTarget starts a dial that has waited for a slot.
func (r *registry) resumeTarget(ctx actor.Context, t *dialTarget) {
	if !r.stopping && r.targets[t.url] == t && t.state == dialing && t.slot == nil {
		r.startTarget(ctx, t)
	}
}

// dialFailed reports a failed dial to its callers, and schedules the next one if the peer is kept connected.
func (r *registry) dialFailed(ctx actor.Context, t *dialTarget, err error) {
	if r.stopping || r.targets[t.url] != t {
		r.answerCallers(t, &Connected{Err: peerError(t.address, ErrStopped)})
		return
	}
	defer r.markDialled(t)
	r.node.Counters.Inc(actors.DialsFailed)
	r.node.LimitedLog.Warn("dial failed", "address", t.address, "error", err)
	r.answerCallers(t, &Connected{Err: peerError(t.address, err)})
	if r.advance(ctx, t, dialFailed, err) == dialPause {
		r.nodeEvents.Event(DialFailed{Address: t.address, Err: err, RetryIn: t.pause})
	}
	r.dialRivals(ctx, t)
}

// advanceTargets advances the targets affected by the end of a connection: its own, and the others of the same peer.
func (r *registry) advanceTargets(ctx actor.Context, s *slot, end actors.End) {
	own := s.target
	switch {
	case own != nil && !s.reached:
		own.slot = nil
		r.dialFailed(ctx, own, r.dialError(s, end))
		return
	case !s.rank.strength.Verified() && s.further != "":
		r.furtherFailed(ctx, s.further, end.Err)
		return
	case s.conn == nil:
		return
	case own != nil:
		own.slot = nil
		if time.Since(own.openedAt) >= healthyBefore {
			r.forgetFailures(own, s.conn.peer.ID)
		}
		if !r.adoptFurther(own, s.conn.peer.ID) {
			r.connectionEnded(ctx, own, dialEnded, end)
		}
	}
	for _, t := range r.targetsOf.of(s.conn.peer.ID) {
		if t != own {
			r.connectionEnded(ctx, t, dialPeerEnded, end)
		}
	}
}

// forgetFailures resets the backoff of a target, and of the other addresses of its peer: one of them is to replace it.
func (r *registry) forgetFailures(own *dialTarget, id string) {
	own.failures = 0
	for _, t := range r.targetsOf[id] {
		t.failures = 0
	}
}

// dialError returns the cause of a dial that ended without a verified connection.
func (r *registry) dialError(s *slot, end actors.End) error {
	switch {
	case s.challenge != nil && r.ownDials.reflected(*s.challenge):
		return ErrOwnAddress
	case end.Err != nil:
		return end.Err
	case s.conn == nil, s.rank.strength.Verified():
		return actors.ErrClosed
	case end.Remote:
		return fmt.Errorf("%w: %s", actors.ErrHandshake, actors.Quote(end.Reason))
	default:
		return fmt.Errorf("%w: %s", actors.ErrHandshake, end.Reason)
	}
}

func (r *registry) connectionEnded(ctx actor.Context, t *dialTarget, event dialEvent, end actors.End) {
	displaced, cause := closedAs(end, t.displaced)
	if r.advance(ctx, t, event, cause) == dialPause {
		t.displaced = displaced
	}
}

// reconcileTarget restores the state of a target after a panic in the registry: dialing, open, or waiting with a timer.
func (r *registry) reconcileTarget(ctx actor.Context, t *dialTarget) {
	s := t.slot
	if s != nil && (s.closed || r.slots[s.pid.Id] != s) {
		s, t.slot = nil, nil
	}
	switch {
	case s != nil && s.rank.strength.Verified() && t.state != dialOpen:
		r.onDialOpen(ctx, s)
	case s == nil && (t.state != dialWaiting || t.timer == nil):
		t.state = dialIdle
		r.advance(ctx, t, dialPeerEnded, nil)
	}
}

// pause sets the timer of the next dial after a failure or the end of a connection.
func (r *registry) pause(t *dialTarget, cause error) {
	if t.pause = longPause(cause); t.pause == 0 {
		t.failures++
		t.pause = backoff(t.failures, r.random())
	}
	t.lastErr = cause
	r.setTimer(t, t.pause)
}

// setTimer sets the timer of the next dial.
func (r *registry) setTimer(t *dialTarget, pause time.Duration) {
	t.nextDial = time.Now().Add(pause)
	due := &redial{target: t, generation: t.generation}
	t.timer = time.AfterFunc(pause, func() { r.node.System.Root.Send(r.self, due) })
}

// stopTimer stops the timer of the next dial. It makes a redial message in flight stale.
func (t *dialTarget) stopTimer() {
	t.generation++
	t.yields = false
	if t.timer != nil {
		t.timer.Stop()
		t.timer, t.nextDial = nil, time.Time{}
	}
}

// forgetTarget removes a target, stops its dial, and answers its callers with ErrNotConnected. An open connection
// stays.
func (r *registry) forgetTarget(ctx actor.Context, t *dialTarget) {
	t.stopTimer()
	r.answerCallers(t, &Connected{Err: peerError(t.address, ErrNotConnected)})
	delete(r.targets, t.url)
	r.targetsOf.remove(t)
	r.markDialled(t)
	if t.slot != nil && !t.slot.reached {
		ctx.Stop(t.slot.pid)
	}
}
