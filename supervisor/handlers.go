package supervisor

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// Handler processes a message of one type that the peer of from has delivered. It owns its arguments.
//
// The transport enqueues the reply, if not nil, for the peer, and sets its empty fields: From, To and ReplyTo. Make it
// with wire.Message.Reply or PeerConnection.NewMessage, a new one for each call.
//
// If err is not nil, the peer gets a message of the type error instead: a *wire.ErrorPayload in the chain of err is its
// payload, and a *wire.RemoteError is passed on. Otherwise the text of err is sent, cut at 1024 bytes, with the code
// 1001 for a wire.ErrMalformed, 1005 for a context.DeadlineExceeded and 1004 for other errors. After a panic or
// runtime.Goexit the peer gets code 1004 and no details. Errors are not sent in answer to error, ping, pong and
// disconnect, so that two nodes never exchange errors without end.
type Handler func(from *PeerConnection, msg *wire.Message) (reply *wire.Message, err error)

// Handle sets the handler of a message type, which OnMessage then does not get. A nil handler removes it. The rules of
// OnMessage hold: one call at a time and in order for each connection, and it may block or panic. The transport does
// not wait until a reply is written. A reply that cannot be enqueued is counted in repliesDropped and logged.
//
// Only with a handler of their own are ping, pong and disconnect passed to the program; the transport has handled them
// already, so such a handler returns no reply. Handle may be called at any time and applies to messages that are
// delivered afterwards.
//
// A request of a deployed application to this node (wire.MessageType.IsDeployedRequest) is answered with the error 1003
// if its type has no handler, OnMessage is not set and no actor is subscribed.
func (t *Transport) Handle(kind wire.MessageType, handle Handler) {
	b := t.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	next := make(map[wire.MessageType]Handler)
	if old := b.handlers.Load(); old != nil {
		maps.Copy(next, *old)
	}
	if next[kind] = handle; handle == nil {
		delete(next, kind)
	}
	b.handlers.Store(&next)
}

// handler returns the handler of a message type, or nil.
func (b *eventBus) handler(kind wire.MessageType) Handler {
	if all := b.handlers.Load(); all != nil {
		return (*all)[kind]
	}
	return nil
}

// ownType reports whether the transport itself handles messages of a type.
func ownType(kind wire.MessageType) bool {
	return kind == wire.MsgPing || kind == wire.MsgPong || kind == wire.MsgDisconnect
}

// dispatch passes a message to the handler of its type, or to OnMessage.
func (b *eventBus) dispatch(c *PeerConnection, msg *wire.Message) {
	handle := b.handler(msg.Type)
	if handle == nil && (b.onMessage == nil || ownType(msg.Type)) {
		b.refuseUnhandled(c, msg)
		return
	}
	if b.observer != nil {
		began := time.Now()
		defer func() { b.observer.Handler(time.Since(began)) }()
	}
	if handle != nil {
		b.runReplying(c, msg, handle)
	} else {
		b.onMessage(c, msg)
	}
}

// refuseUnhandled answers a request of a deployed application that nothing in this program handles, so that its sender
// need not wait for a timeout. It does so only for a verified peer's own request to this node. OnMessage and a
// subscribed actor may handle any type.
func (b *eventBus) refuseUnhandled(c *PeerConnection, msg *wire.Message) {
	if msg.Type.IsDeployedRequest() && c.Verified() && msg.From == c.peer.ID && msg.To == c.self && msg.ReplyTo == "" &&
		!b.subscribed() {
		b.replyError(c, msg, &wire.ErrorPayload{
			Code: wire.ErrCodeNotFound, Message: "this node does not handle messages of this type",
		})
	}
}

// runReplying calls a Handler and enqueues its reply.
func (b *eventBus) runReplying(c *PeerConnection, msg *wire.Message, handle Handler) {
	asked := *msg // the handler may change msg
	returned := false
	defer func() {
		if !returned { // a panic, which the inbox counts and logs
			b.replyError(c, &asked, &wire.ErrorPayload{
				Code: wire.ErrCodeOperationFailed, Message: "the handler of this message failed",
			})
		}
	}()
	reply, err := handle(c, msg)
	returned = true
	switch {
	case err != nil:
		b.replyError(c, &asked, errorPayload(err))
	case reply != nil:
		b.reply(c, &asked, reply)
	}
}

// maxErrorText is the number of bytes of an error's text that is sent to a peer.
const maxErrorText = 1024

// errorPayload returns the payload of the answer to a message whose handler returned err.
func errorPayload(err error) *wire.ErrorPayload {
	var own *wire.ErrorPayload
	if errors.As(err, &own) {
		return own
	}
	var remote *wire.RemoteError
	if errors.As(err, &remote) {
		return &wire.ErrorPayload{Code: remote.Code, Message: errorText(remote.Text)}
	}
	code := wire.ErrCodeOperationFailed
	switch {
	case errors.Is(err, wire.ErrMalformed):
		code = wire.ErrCodeInvalidMessage
	case errors.Is(err, context.DeadlineExceeded):
		code = wire.ErrCodeTimeout
	}
	return &wire.ErrorPayload{Code: code, Message: errorText(err.Error())}
}

func errorText(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxErrorText)], "")
}

// replyError answers a message with an error, unless the message itself is an error or handled by the transport.
func (b *eventBus) replyError(c *PeerConnection, asked *wire.Message, fault *wire.ErrorPayload) {
	if asked.Type == wire.MsgError || ownType(asked.Type) {
		return
	}
	reply, err := wire.NewMessage(wire.MsgError, c.self, asked.From, fault)
	if err != nil {
		b.dropReply(c, asked, err)
		return
	}
	b.reply(c, asked, reply)
}

// reply enqueues the answer to a message, on the route of the peer that delivered it.
func (b *eventBus) reply(c *PeerConnection, asked, reply *wire.Message) {
	own := *reply
	if own.From == "" {
		own.From = c.self // the answer to a broadcast
	}
	if own.To == "" {
		own.To = asked.From
	}
	if own.ReplyTo == "" {
		own.ReplyTo = asked.ID
	}
	via := b.routes.route(c.peer.ID)
	if via.conn == nil {
		via.conn = c
	}
	for _, alternate := range via.alternates {
		_ = alternate.Post(&own) // the route's result counts
	}
	if err := via.conn.Post(&own); err != nil {
		b.dropReply(c, asked, err)
	}
}

// dropReply counts and logs a reply that was not sent.
func (b *eventBus) dropReply(c *PeerConnection, asked *wire.Message, err error) {
	b.counters.Inc(actors.RepliesDropped)
	b.limitedLog.Warn("a reply was not sent", "peer", c.peer.ID, "type", actors.Quote(string(asked.Type)), "error", err)
}
