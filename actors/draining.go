package actors

import (
	"github.com/asynkron/protoactor-go/actor"
	"github.com/coder/websocket"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/wire"
)

// Two nodes that hold two connections to each other close one of them without losing a message. The node with the
// smaller ID yields; both continue to read.
//
//	smaller ID                                larger ID
//	Yield: refuse new messages
//	flush, disconnect ──────────────────────▶ all messages of the peer are read: refuse new messages
//	all messages of the peer are read ◀────── flush, disconnect, close frame
//	close frame ────────────────────────────▶

// Reasons of a disconnect message that drains a connection. Another connection of the same identity is kept.
const (
	ReasonDuplicate     = "duplicate connection"
	ReasonIdentityInUse = "identity in use from another address"
)

// drains reports whether a disconnect message with this reason closes a connection for sending only.
func drains(reason string) bool { return reason == ReasonDuplicate || reason == ReasonIdentityInUse }

// onYield starts to drain this connection.
func (p *connection) onYield(ctx actor.Context, msg *Yield) {
	if p.phase == open {
		p.drain(ctx, End{Code: wire.DisconnectNormal, Reason: msg.Reason}, nil)
	}
}

// drain takes the connection out of service for senders and continues to deliver. The last frame, a disconnect
// message, follows every queued message, including those that wait for the peer's rate limit. With a status, the
// socket is closed behind that frame.
func (p *connection) drain(ctx actor.Context, end End, status *socket.CloseStatus) {
	p.phase = draining
	p.announceEnd(ctx, end)
	p.handle.outbox.refuse()
	p.schedule(p.node.Limits.silence())
	f := &frame{}
	if msg, err := p.compose(wire.MsgDisconnect, wire.DisconnectPayload{Reason: end.Reason, Code: end.Code}); err == nil {
		if encoded, err := p.handle.encode(&msg); err == nil {
			f = encoded
		}
	}
	f.closeWith, f.ordered = status, true
	if f.closeWith != nil || len(f.data) > 0 {
		p.handle.outbox.push(f)
	}
}

// onDisconnectWhileDraining handles the peer's disconnect message while this connection drains: the socket is closed
// behind our own disconnect.
func (p *connection) onDisconnectWhileDraining() {
	p.handle.outbox.push(&frame{closeWith: &socket.CloseStatus{Code: websocket.StatusNormalClosure}, ordered: true})
}
