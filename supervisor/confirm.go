package supervisor

import (
	"context"
	"errors"
	"fmt"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// SendConfirmed sends a message to a peer and returns nil when the peer's node is known to have taken it. It sends a
// ping behind the message, on the same connection, and waits for the pong. The meaning of nil depends on the peer:
//
//   - A node of this project announces that it confirms messages. Nil means that the message has passed its rate limit,
//     decryption, clock and duplicate checks and is in the queue of its handlers. No handler need have run.
//   - Any other node only answers the ping. Nil means that it has read the message from the connection. Its rate limit
//     or its checks may have dropped it nevertheless.
//
// The errors before the message is written are those of SendContext. After that, an error that is ErrNotAccepted means
// that the peer's node has dropped the message, with the reason in a *NotAcceptedError. One that is ErrUnconfirmed
// means that it is unknown whether the message has arrived: the connection ended, ctx ended, or no pong came within
// TransportConfig.PongTimeout. A deployed node without a worker answers no ping, so that its messages are never
// confirmed. A repeated message is a duplicate at the peer, which confirms it as well.
//
// Message and ping each take a token of the peer's rate limit and wait for it, see SendContext: at the limit of 50 per
// second, about 24 messages per second are confirmed. Several calls may run at once, each on its caller's goroutine; at
// most eight pings per connection are unanswered, and further calls wait. Use Request where the answer of a handler is
// needed.
func (t *Transport) SendConfirmed(ctx context.Context, peerID string, msg *wire.Message) error {
	if err := checkContext(ctx); err != nil {
		return peerError(peerID, err)
	}
	via, err := t.routeFor(ctx, peerID, msg)
	if err == errElsewhere {
		_, err := t.forward(ctx, peerID, msg, ForwardConfirmed)
		return err
	}
	if err != nil {
		return peerError(peerID, err)
	}
	return t.sendConfirmedVia(ctx, via, peerID, msg)
}

// sendConfirmedHere is SendConfirmed without the other members.
func (t *Transport) sendConfirmedHere(ctx context.Context, peerID string, msg *wire.Message) error {
	via, err := t.routeHere(ctx, peerID, msg)
	if err != nil {
		return err
	}
	return t.sendConfirmedVia(ctx, via, peerID, msg)
}

func (t *Transport) sendConfirmedVia(ctx context.Context, via route, peerID string, msg *wire.Message) error {
	c, err := t.sendVia(ctx, via, peerID, msg)
	if err != nil {
		return err
	}
	return c.confirm(ctx, msg.ID)
}

// SendConfirmed is Transport.SendConfirmed for this connection. Its errors are those of PeerConnection.SendContext,
// ErrNotAccepted and ErrUnconfirmed, inside a PeerError.
func (c *PeerConnection) SendConfirmed(ctx context.Context, msg *wire.Message) error {
	if err := c.SendContext(ctx, msg); err != nil {
		return err
	}
	return c.confirm(ctx, msg.ID)
}

// Errors of SendConfirmed, for errors.Is.
var (
	// ErrUnconfirmed means that it is unknown whether a written message has arrived. The error is an *UnconfirmedError.
	ErrUnconfirmed = errors.New("the peer has not confirmed the message, which may have arrived or not")
	// ErrNotAccepted means that the peer's node has dropped the message. The error is a *NotAcceptedError.
	ErrNotAccepted = errors.New("the peer's node dropped the message")
)

// UnconfirmedError is ErrUnconfirmed with the cause: ErrClosed, ErrPaced, ctx's error, context.DeadlineExceeded after
// PongTimeout, or another error of sending the ping.
type UnconfirmedError struct{ Cause error }

func (e *UnconfirmedError) Error() string { return fmt.Sprintf("%v: %v", ErrUnconfirmed, e.Cause) }

// Is makes errors.Is(err, ErrUnconfirmed) true.
func (e *UnconfirmedError) Is(target error) bool { return target == ErrUnconfirmed }

// Unwrap returns the cause.
func (e *UnconfirmedError) Unwrap() error { return e.Cause }

// NotAcceptedError is ErrNotAccepted with the reason that the peer's node gives.
type NotAcceptedError struct{ Receipt wire.Receipt }

func (e *NotAcceptedError) Error() string {
	if e.Receipt == wire.ReceiptUnknown {
		return fmt.Sprintf("%v: it is above its rate limit, or malformed to it", ErrNotAccepted)
	}
	return fmt.Sprintf("%v: %s", ErrNotAccepted, actors.Quote(string(e.Receipt)))
}

// Is makes errors.Is(err, ErrNotAccepted) true.
func (e *NotAcceptedError) Is(target error) bool { return target == ErrNotAccepted }

// confirm sends a ping behind a written message and waits for the pong.
func (c *PeerConnection) confirm(ctx context.Context, id string) error {
	payload := wire.ConfirmPing{PingPayload: wire.PingPayload{SentAt: c.handle.Clock().UnixMilli()}}
	if c.confirms {
		payload.Confirm = []string{id}
	}
	ping, err := c.NewMessage(wire.MsgPing, payload)
	if err != nil {
		return peerError(c.peer.ID, &UnconfirmedError{err})
	}
	if err := c.beginPinging(ctx); err != nil {
		return peerError(c.peer.ID, &UnconfirmedError{err})
	}
	defer func() { <-c.pinging.Get(maxPinging) }()
	to := request{peer: c.peer.ID, id: ping.ID}
	answer := c.bus.replies.expect(to)
	defer c.bus.replies.forget(to, answer)
	if err := c.handle.SendInTurn(ctx, ping); err != nil {
		return peerError(c.peer.ID, &UnconfirmedError{err})
	}
	pong, err := c.awaitPong(ctx, answer)
	if err != nil {
		return peerError(c.peer.ID, &UnconfirmedError{err})
	}
	return peerError(c.peer.ID, c.verdict(pong, id))
}

// maxPinging limits the unanswered pings of SendConfirmed on a connection: a peer answers no ping while
// 16 of its pongs wait to be written.
const maxPinging = 8

// beginPinging waits until another ping may be sent.
func (c *PeerConnection) beginPinging(ctx context.Context) error {
	select {
	case c.pinging.Get(maxPinging) <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.handle.Done():
		return ErrClosed
	}
}

// awaitPong waits for the answer to a ping on this connection, for PongTimeout at most.
func (c *PeerConnection) awaitPong(ctx context.Context, answer *waiter) (*wire.Message, error) {
	within, cancel := c.handle.WithPongTimeout(ctx)
	defer cancel()
	var err error
	select {
	case <-answer.done:
	case <-within.Done():
		err = context.Cause(within)
	case <-c.handle.Done():
		err = ErrClosed
	}
	select {
	case <-answer.done: // takes precedence
		return &answer.reply, nil
	default:
		return nil, err
	}
}

// verdict returns the result of a message according to the pong behind it.
func (c *PeerConnection) verdict(pong *wire.Message, id string) error {
	var payload wire.ConfirmPong
	if err := pong.ParsePayload(&payload); err != nil && c.confirms {
		return &UnconfirmedError{err}
	}
	switch receipt, given := payload.Confirmed[id]; {
	case !c.confirms || receipt == wire.ReceiptOK:
		return nil
	case !given:
		return &UnconfirmedError{errNoReceipt}
	default:
		return &NotAcceptedError{receipt}
	}
}

var errNoReceipt = errors.New("the pong does not name it, although the peer announced that it confirms messages")
