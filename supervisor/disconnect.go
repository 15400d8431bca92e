package supervisor

import (
	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
	"github.com/asynkron/protoactor-go/actor"
)

// disconnect closes the connections of a peer and stops dialling it.
func (r *registry) disconnect(ctx actor.Context, msg *Disconnect) error {
	known := len(r.peers[msg.Peer]) > 0 || msg.suspended
	for _, t := range r.targets {
		leads := t.peer == msg.Peer || t.expect == msg.Peer || t.slot != nil && dialledPeer(t.slot) == msg.Peer
		if leads && !msg.suspended {
			known = true
			r.advance(ctx, t, dialDropped, nil)
		}
	}
	r.dropFurther(ctx, msg.Peer)
	for _, s := range r.slots { // draining connections are no longer in peers
		if s.conn == nil || s.conn.peer.ID != msg.Peer {
			continue
		}
		ctx.Send(s.pid, &actors.CloseGracefully{End: actors.End{Code: msg.Code, Reason: msg.Reason}})
	}
	if msg.suspended {
		r.scheduleSuspended()
		return nil
	}
	if peer, inBook := r.book.Get(msg.Peer); inBook {
		known = known || peer.Persistent || msg.Forget
		r.book.Update(msg.Peer, func(p *Peer) { p.Persistent = false })
		if msg.Forget {
			r.book.Remove(msg.Peer)
		}
	}
	if !known {
		return peerError(msg.Peer, ErrNotConnected)
	}
	return nil
}

// disconnectConnection closes one connection. A draining one is in slots but no longer in peers.
func (r *registry) disconnectConnection(ctx actor.Context, msg *DisconnectConnection) (*PeerConnection, error) {
	for _, s := range r.slots {
		if s.conn != nil && s.conn.number == msg.Connection {
			ctx.Send(s.pid, &actors.CloseGracefully{End: actors.End{Code: msg.Code, Reason: msg.Reason}})
			return s.conn, nil
		}
	}
	return nil, noConnectionError(msg.Connection)
}

// answerAuthChanged answers a change of the auth mode with the number of peers that it has disconnected: by this
// message, or by the one before, which the book sent as soon as it had the change.
func (r *registry) answerAuthChanged(msg *authChanged, refused int) {
	if msg.mode {
		r.modeRefused = max(r.modeRefused, refused) // both may count a peer whose connection still closes
	}
	if r.reply != nil {
		refused, r.modeRefused = r.modeRefused, 0
	}
	r.answer(&authApplied{disconnected: refused})
}

// onAuthChanged closes the connections and dials that the allowlist no longer permits. It returns the number of their
// peers.
func (r *registry) onAuthChanged(ctx actor.Context) int {
	refused := make(map[string]bool)
	for _, s := range r.slots {
		if s.conn == nil {
			continue
		}
		s.listed = r.book.Allowed(s.key)
		if !r.book.Authorized(s.key) {
			if !s.closed {
				refused[s.conn.peer.ID] = true
			}
			end := actors.End{Code: wire.DisconnectNormal, Reason: wire.ReasonNotAuthorized}
			ctx.Send(s.pid, &actors.CloseGracefully{End: end})
		}
	}
	r.dialIdle(ctx)
	return len(refused)
}

// onShutdown closes all connections gracefully. The registry stops when the last actor has terminated.
func (r *registry) onShutdown(ctx actor.Context, msg *shutdown) {
	if r.stopping {
		return
	}
	r.stopping = true
	r.endDrain()
	r.stopDials()
	for _, t := range r.targets {
		r.answerCallers(t, &Connected{Err: peerError(t.address, ErrStopped)})
	}
	r.stopTimers()
	if len(r.slots) == 0 {
		ctx.Stop(ctx.Self())
		return
	}
	for _, s := range r.slots {
		ctx.Send(s.pid, &actors.CloseGracefully{End: actors.End{Code: msg.code, Reason: msg.reason}})
	}
	r.shutdownTimer = r.node.Running.AfterFunc(r.cfg.ShutdownTimeout, func() {
		r.node.System.Root.Send(r.self, &stopNow{})
	})
}

func (r *registry) stopTimers() {
	for _, t := range r.targets {
		t.stopTimer()
	}
	for _, f := range r.further {
		r.stopFurtherTimer(f)
	}
	for _, state := range r.states {
		if state.timer != nil {
			state.timer.Stop()
		}
	}
	if r.expireTimer != nil {
		r.expireTimer.Stop()
	}
	if r.suspendTimer != nil {
		r.suspendTimer.Stop()
	}
	if r.shutdownTimer != nil {
		r.shutdownTimer.Stop()
	}
}
