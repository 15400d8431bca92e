package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/wire"
)

// statusPolicy is the WebSocket status of a refused handshake.
const statusPolicy = websocket.StatusPolicyViolation

// socketStatus returns the WebSocket status for a disconnect code. As WebSocket statuses 1003 and 1004 have other
// meanings.
func socketStatus(code wire.DisconnectCode) websocket.StatusCode {
	switch code {
	case wire.DisconnectNormal:
		return websocket.StatusNormalClosure
	case wire.DisconnectProtocolErr:
		return websocket.StatusProtocolError
	default:
		return websocket.StatusGoingAway
	}
}

// startClosing takes the connection out of service: it tells the registry and accepts no more input. Only the last
// message is still sent. It returns false if the connection is closing already.
func (p *connection) startClosing(ctx actor.Context, end End) bool {
	if p.phase == closing {
		return false
	}
	p.finishEarly(ctx)
	if p.phase == closing { // a frame that had waited has closed the connection
		return false
	}
	p.phase = closing
	p.dropKept()
	p.inbound.close()
	p.handle.outbox.refuse()
	p.announceEnd(ctx, end)
	p.schedule(p.node.Limits.WriteTimeout + socket.LingerTimeout)
	return true
}

// announceEnd tells the registry once that the connection is out of service.
func (p *connection) announceEnd(ctx actor.Context, end End) {
	if p.handle.ended.Load() != nil {
		return
	}
	report := &Ended{PID: p.handle.pid, End: end}
	p.handle.ended.Store(report)
	ctx.Send(p.parent, report)
}

// closeGracefully sends the queued messages, then a disconnect message, and then closes the socket.
func (p *connection) closeGracefully(ctx actor.Context, end End) {
	wasOpen := p.phase == open || p.phase == draining
	disconnectSent := p.phase == draining
	if !p.startClosing(ctx, end) {
		return
	}
	if !wasOpen {
		p.abort(ctx)
		return
	}
	if disconnectSent || !p.proof.strength.Verified() { // an unverified peer gets no frame
		p.handle.outbox.push(&frame{closeWith: &socket.CloseStatus{Code: socketStatus(end.Code)}})
		return
	}
	msg, err := p.compose(wire.MsgDisconnect, wire.DisconnectPayload{Reason: end.Reason, Code: end.Code})
	if err != nil {
		p.abort(ctx)
		return
	}
	p.sendLast(ctx, &msg, socket.CloseStatus{Code: socketStatus(end.Code)})
}

func (p *connection) sendLast(ctx actor.Context, msg *wire.Message, status socket.CloseStatus) {
	f, err := p.handle.encode(msg)
	if err != nil {
		p.abort(ctx)
		return
	}
	f.closeWith = &status
	p.handle.outbox.push(f)
}

// fail ends a connection that is not open yet.
func (p *connection) fail(ctx actor.Context, err error) {
	p.startClosing(ctx, End{Code: wire.DisconnectProtocolErr, Reason: err.Error(), Err: err})
	p.abort(ctx)
}

// abort stops the actor without a message to the peer.
func (p *connection) abort(ctx actor.Context) { ctx.Stop(ctx.Self()) }

// onDisconnect handles the peer's disconnect message.
func (p *connection) onDisconnect(ctx actor.Context, msg *wire.Message) {
	var payload wire.DisconnectPayload
	if err := msg.ParsePayload(&payload); err != nil || !payload.Code.Valid() {
		payload.Code = wire.DisconnectNormal
	}
	end := End{Code: payload.Code, Reason: truncate(payload.Reason), Remote: true}
	if p.phase == open && p.proof.strength.Verified() && drains(payload.Reason) {
		p.drain(ctx, end, &socket.CloseStatus{Code: websocket.StatusNormalClosure})
		return
	}
	if p.phase == draining {
		p.onDisconnectWhileDraining()
		return
	}
	if p.startClosing(ctx, end) {
		p.handle.outbox.push(&frame{closeWith: &socket.CloseStatus{Code: websocket.StatusNormalClosure}})
	}
}

// truncate cuts a peer's text to 256 bytes.
func truncate(text string) string {
	const most = 256
	if len(text) > most {
		return text[:most]
	}
	return text
}

// onReadEnded handles the end of the read pump: the socket is closed.
func (p *connection) onReadEnded(ctx actor.Context, err error) {
	if p.awaitsClaim() {
		p.earlyInput().ended = err
		return
	}
	wasOpen := p.phase == open || p.phase == draining
	if p.startClosing(ctx, readEnd(err, wasOpen)) && !wasOpen {
		p.node.Counters.Inc(HandshakesRejected)
		p.node.LimitedLog.Warn("handshake not finished", "remote", p.remote, "error", err)
	}
	p.abort(ctx)
}

// readEnd returns the end of a connection whose reading ended with err. Remote is true only if the peer closed the
// WebSocket: this node closes after a violation, and neither side closes a lost connection.
func readEnd(err error, wasOpen bool) End {
	var end End
	var closed websocket.CloseError
	switch {
	case errors.Is(err, socket.ErrMessageTooBig):
		return End{Code: wire.DisconnectProtocolErr, Reason: "the peer sent a message that is too large", Err: err}
	case errors.Is(err, socket.ErrMessageTooSlow):
		return End{Code: wire.DisconnectTimeout, Reason: socket.ErrMessageTooSlow.Error(), Err: err}
	case errors.Is(err, socket.ErrProtocol):
		end = End{Code: wire.DisconnectProtocolErr, Reason: truncate(err.Error())}
	case errors.As(err, &closed):
		end = closedByPeer(closed)
	default:
		end = End{Code: wire.DisconnectGoingAway, Reason: "connection lost"}
	}
	if !wasOpen {
		end.Code, end.Reason = wire.DisconnectProtocolErr, end.Reason+" during the handshake"
		end.Err = fmt.Errorf("%w: %s", ErrHandshake, end.Reason)
	}
	return end
}

// closedByPeer returns the end of a connection whose peer sent a WebSocket close frame. The reason quotes any status
// but 1000 and 1001, with at most 64 bytes of its text.
func closedByPeer(closed websocket.CloseError) End {
	end := End{Code: wire.DisconnectGoingAway, Reason: "closed by the peer", Remote: true}
	switch closed.Code {
	case websocket.StatusNormalClosure:
		end.Code = wire.DisconnectNormal
	case websocket.StatusGoingAway, websocket.StatusNoStatusRcvd: // the latter for an empty close frame
	default:
		end.Reason += fmt.Sprintf(" with WebSocket status %d", closed.Code)
		if closed.Reason != "" {
			end.Reason += " " + Quote(closed.Reason)
		}
	}
	return end
}

// onWriteEnded handles a write error.
func (p *connection) onWriteEnded(ctx actor.Context, err error) {
	if p.phase == open && errors.Is(err, ErrWriteTimeout) {
		p.closeSlow(ctx)
		return
	}
	if p.phase == open && !p.broken {
		// The read pump usually reports a more precise error soon, unless a handler holds it back: wait for LingerSilence.
		p.broken = true
		p.schedule(socket.LingerSilence)
		return
	}
	p.startClosing(ctx, End{Code: wire.DisconnectGoingAway, Reason: "connection lost", Err: err})
	p.abort(ctx)
}

// onCongested handles a full outbox, again after slowGrace until it is relieved. A peer that has read nothing
// meanwhile is closed; a peer that is only slow is not.
func (p *connection) onCongested(ctx actor.Context) {
	switch {
	case p.phase != open:
	case p.handle.outbox.stalled(slowGrace):
		p.closeSlow(ctx)
	case p.handle.outbox.relieved():
		p.handle.complained.Store(false)
	default:
		p.recheck = time.AfterFunc(slowGrace, func() { p.handle.tell(&congested{}) })
	}
}

func (p *connection) closeSlow(ctx actor.Context) {
	p.node.Counters.Inc(SlowPeersClosed)
	p.node.LimitedLog.Warn("slow peer closed", "peer", p.peerID, "remote", p.remote)
	p.startClosing(ctx, End{Code: wire.DisconnectTimeout, Reason: "the peer reads too slowly"})
	p.abort(ctx)
}

// cleanup runs when the actor stops, for any reason and in any phase. The essential parts are deferred first, and a
// panic is recovered: it would restart the actor.
func (p *connection) cleanup() {
	defer func() { _ = recover() }() // a panic here cannot be repaired
	// Callers that wait for this connection are told its end even if closing the socket panics.
	defer p.handle.done.Close()
	defer p.handle.outbox.close(ErrClosed)
	defer p.inbound.close()
	defer p.settleHeld()
	if socket := p.slot.end(); socket != nil {
		socket.Abort()
		if p.socket == nil {
			socket.Release() // attached after the end: no read pump releases it
		}
	}
	for _, timer := range []*time.Timer{p.timer, p.recheck, p.refill} {
		if timer != nil {
			timer.Stop()
		}
	}
}
