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

// socketStatus maps a disconnect code to the WebSocket status beside it: 1003 and 1004 mean other things there.
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

// finish takes the connection out of service: the registry is told, nothing more is taken in. What follows is only
// the way out of the last message.
func (p *Peer) startClosing(ctx actor.Context, end End) bool {
	if p.phase == closing {
		return false
	}
	if p.release(ctx); p.phase == closing { // one of the frames that waited was the end
		return false
	}
	p.phase = closing
	for _, data := range p.takeEarly() {
		p.inbound.give(len(data))
	}
	p.inbound.close()
	p.disconnect = nil
	p.announceEnd(ctx, end)
	p.schedule(p.node.Limits.WriteTimeout + socket.LingerTimeout)
	return true
}

// announceEnd tells the registry once that the connection is out of service.
func (p *Peer) announceEnd(ctx actor.Context, end End) {
	if p.handle.ended.Load() != nil {
		return
	}
	said := &Ended{PID: p.handle.pid, End: end}
	p.handle.ended.Store(said)
	ctx.Send(p.parent, said)
}

// goodbye ends the connection gracefully: what is queued goes first, then a disconnect message, then the socket.
func (p *Peer) closeGracefully(ctx actor.Context, end End) {
	wasOpen, said := p.phase == open || p.phase == draining, p.phase == draining && p.disconnect == nil
	if !p.startClosing(ctx, end) {
		return
	}
	if !wasOpen {
		p.abort(ctx)
		return
	}
	if said || !p.proof.strength.Verified() { // the latter gets no frame
		p.handle.outbox.push(&frame{closeWith: &socket.CloseStatus{Code: socketStatus(end.Code)}})
		return
	}
	msg, err := p.compose(wire.MsgDisconnect, wire.DisconnectPayload{Reason: end.Reason, Code: end.Code})
	if err != nil {
		p.abort(ctx)
		return
	}
	p.sendLast(ctx, msg, socket.CloseStatus{Code: socketStatus(end.Code)})
}

func (p *Peer) sendLast(ctx actor.Context, msg *wire.Message, status socket.CloseStatus) {
	f, err := p.node.encode(msg)
	if err != nil {
		p.abort(ctx)
		return
	}
	p.seal(f)
	f.closeWith = &status
	p.handle.outbox.push(f)
}

// fail ends a connection that has not opened.
func (p *Peer) fail(ctx actor.Context, err error) {
	p.startClosing(ctx, End{Code: wire.DisconnectProtocolErr, Reason: err.Error(), Err: err})
	p.abort(ctx)
}

// abandon stops the actor without another word to the peer.
func (p *Peer) abort(ctx actor.Context) { ctx.Stop(ctx.Self()) }

// onDisconnect is the peer's goodbye.
func (p *Peer) onDisconnect(ctx actor.Context, msg *wire.Message) {
	var payload wire.DisconnectPayload
	if err := msg.ParsePayload(&payload); err != nil || !payload.Code.Valid() {
		payload.Code = wire.DisconnectNormal
	}
	end := End{Code: payload.Code, Reason: truncate(payload.Reason), Remote: true}
	if p.phase == open && drains(payload.Reason) {
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

// cut bounds a peer's text to what is kept of it.
func truncate(text string) string {
	const most = 256
	if len(text) > most {
		return text[:most]
	}
	return text
}

// onReadEnded is the end of the read pump: the socket is gone.
func (p *Peer) onReadEnded(ctx actor.Context, err error) {
	wasOpen := p.phase == open || p.phase == draining
	if p.startClosing(ctx, readEnd(err, wasOpen)) && !wasOpen {
		p.node.Counters.Inc(HandshakesRejected)
		p.node.LimitedLog.Warn("handshake not finished", "remote", p.remote, "error", err)
	}
	p.abort(ctx)
}

// readEnd maps the error that ended reading to the end of the connection. Remote is true only if the peer closed the
// WebSocket itself: a violation is closed by this node, and a lost connection by neither side.
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

// closedByPeer is the end of a connection whose peer sent a WebSocket close frame. Any status but 1000 and 1001 is
// quoted in the reason, at most 64 bytes of its text included.
func closedByPeer(closed websocket.CloseError) End {
	end := End{Code: wire.DisconnectGoingAway, Reason: "closed by the peer", Remote: true}
	switch closed.Code {
	case websocket.StatusNormalClosure:
		end.Code = wire.DisconnectNormal
	case websocket.StatusGoingAway, websocket.StatusNoStatusRcvd: // an empty close frame has no status
	default:
		end.Reason += fmt.Sprintf(" with WebSocket status %d", closed.Code)
		if closed.Reason != "" {
			end.Reason += " " + Quote(closed.Reason)
		}
	}
	return end
}

// onWriteEnded is a failure of writing.
func (p *Peer) onWriteEnded(ctx actor.Context, err error) {
	if p.phase == open && errors.Is(err, ErrWriteTimeout) {
		p.closeSlow(ctx)
		return
	}
	if p.phase == open && !p.broken {
		// The read pump knows more about why the socket broke, and is about to say so; but not while a handler holds it back.
		p.broken = true
		p.schedule(socket.LingerSilence)
		return
	}
	p.startClosing(ctx, End{Code: wire.DisconnectGoingAway, Reason: "connection lost", Err: err})
	p.abort(ctx)
}

// onCongested looks at a queue that had no room, and again after a while: a peer that has taken nothing meanwhile is
// closed, one that is only behind is left alone.
func (p *Peer) onCongested(ctx actor.Context) {
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

func (p *Peer) closeSlow(ctx actor.Context) {
	p.node.Counters.Inc(SlowPeersClosed)
	p.node.LimitedLog.Warn("slow peer closed", "peer", p.peerID, "remote", p.remote)
	p.startClosing(ctx, End{Code: wire.DisconnectTimeout, Reason: "the peer reads too slowly"})
	p.abort(ctx)
}

// cleanUp runs when the actor stops, for whatever reason, in any state. What must happen comes first, and a panic in
// here would bring the actor back to life.
func (p *Peer) cleanup() {
	defer func() { _ = recover() }() // nothing below can be mended here
	// Whoever waits for this connection must hear of its end, even if closing the socket panics.
	defer close(p.handle.done)
	defer p.handle.outbox.close(ErrClosed)
	defer p.inbound.close()
	defer p.releaseHeld()
	if socket := p.slot.end(); socket != nil {
		socket.Abort()
		if p.socket == nil {
			socket.Release() // it came after the end, so no read pump will
		}
	}
	for _, timer := range []*time.Timer{p.timer, p.recheck} {
		if timer != nil {
			timer.Stop()
		}
	}
}
