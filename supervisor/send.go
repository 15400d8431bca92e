package supervisor

import (
	"context"
	"errors"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Send sends a message to a peer and returns when the operating system has accepted it. See SendContext. If the peer's
// rate limit delays the message by more than TransportConfig.WriteTimeout, Send withdraws it and returns ErrPaced.
func (t *Transport) Send(peerID string, msg *wire.Message) error {
	return t.SendContext(context.Background(), peerID, msg)
}

// SendContext sends a message to a peer and returns when the operating system has accepted it, or when ctx ends. In the
// latter case the message may still be sent. A nil error is not delivery: a peer silently drops messages above its rate
// limit, by default 100 messages at once and 50 per second. With PacingOn (--pace on, the default) the message waits in
// the queue until the limit announced by the peer, less one message and 2 %, admits it: at the default limit 99
// messages at once, half as many in a new process, and 49 per second. If ctx ends in the queue, the message is
// withdrawn. SendConfirmed waits until the peer's node has accepted the message. The errors are ErrNotConnected (also
// ErrUnverified), ErrInvalidMessage, ErrTooLarge, ErrQueueFull, ErrClosed, ErrWriteTimeout, ErrPaced (only if ctx
// cannot end) and ctx's, inside a PeerError.
func (t *Transport) SendContext(ctx context.Context, peerID string, msg *wire.Message) error {
	if err := checkContext(ctx); err != nil {
		return peerError(peerID, err)
	}
	via, err := t.routeFor(ctx, peerID, msg)
	if err == errElsewhere {
		_, err := t.forward(ctx, peerID, msg, ForwardWritten)
		return err
	}
	if err != nil {
		return peerError(peerID, err)
	}
	_, err = t.sendVia(ctx, via, peerID, msg)
	return err
}

// sendVia sends a message on the route to a peer and returns the connection on which it was written.
func (t *Transport) sendVia(
	ctx context.Context, via route, peerID string, msg *wire.Message,
) (*PeerConnection, error) {
	for {
		for _, alternate := range via.alternates {
			_ = alternate.Post(msg) // the route's result counts
		}
		err := via.conn.SendContext(ctx, msg)
		next := t.routes.route(peerID)
		if !errors.Is(err, ErrClosed) || next.conn == nil || next.conn == via.conn {
			return via.conn, err
		}
		via = next // another connection is the route; if the message was sent, the peer drops the copy
	}
}

// BroadcastResult is the result of a broadcast. Nil errors do not mean delivery, see Transport.SendContext.
type BroadcastResult struct {
	Sent    int           // peers whose queue accepted the message
	Failed  []SendFailure // peers that missed the message, with the reasons
	Refused error         // error before the first peer: ErrStopped, ErrInvalidMessage, ErrTooLarge or ctx's
}

// Err returns Refused, or a *BroadcastError if at least one peer missed the message, or nil.
func (r BroadcastResult) Err() error {
	if r.Refused != nil || len(r.Failed) == 0 {
		return r.Refused
	}
	return &BroadcastError{Failed: r.Failed}
}

// Broadcast enqueues a message for every connected peer except the one named in its From. It does not wait until the
// messages are written, which the peers' rate limits may delay.
func (t *Transport) Broadcast(msg *wire.Message) BroadcastResult {
	return t.BroadcastContext(context.Background(), msg)
}

// BroadcastContext is Broadcast that also returns when ctx ends. The message may still be sent. The caller may change
// msg after the return.
func (t *Transport) BroadcastContext(ctx context.Context, msg *wire.Message) BroadcastResult {
	return t.BroadcastToRole(ctx, "", msg)
}

// BroadcastToRole is BroadcastContext for the connected peers of one role; an empty role means all.
func (t *Transport) BroadcastToRole(ctx context.Context, role crypto.NodeRole, msg *wire.Message) BroadcastResult {
	if ctx != nil && ctx.Done() != nil {
		msg = copied(msg) // the registry may read it after ctx has ended
	}
	answer, err := ask[*Broadcasted](ctx, t, &Broadcast{Message: msg, Role: role})
	if err != nil {
		return BroadcastResult{Refused: err}
	}
	return BroadcastResult{Sent: answer.Sent, Failed: answer.Failed, Refused: answer.Err}
}

// Connect opens a connection to the peer at peer.Address. If peer.ID is set, another node at this address is refused
// with ErrWrongIdentity, so a placeholder in ID fails as well. If peer.ID is empty, Connect sets ID, Name, PublicKey
// and Role to those of the connected peer; concurrent calls must not share such a Peer. After an error, peer is
// unchanged. The peer is not kept connected. If it is connected already, Connect returns that connection.
func (t *Transport) Connect(peer *Peer) (*PeerConnection, error) {
	return t.ConnectContext(context.Background(), peer)
}

// ConnectContext is Connect that also returns when ctx ends. Its dial is cancelled unless another caller waits for it
// or the peer is kept connected. A call that returns an error leaves no connection behind. If ctx has ended before the
// call, nothing is dialled.
func (t *Transport) ConnectContext(ctx context.Context, peer *Peer) (*PeerConnection, error) {
	if peer == nil {
		return nil, errNilPeer
	}
	c, err := t.connect(ctx, &Connect{Address: peer.Address, ID: peer.ID})
	if err == nil && peer.ID == "" {
		is := c.Peer()
		peer.ID, peer.Name, peer.PublicKey, peer.Role = is.ID, is.Name, is.PublicKey, is.Role
	}
	return c, err
}

// ConnectAddress opens a connection to any peer at an address, stores the peer in the peer book, and keeps it connected
// from then on. After an error, also ctx's, nothing is stored or dialled again, and no connection of this call is left.
func (t *Transport) ConnectAddress(ctx context.Context, address string) (*PeerConnection, error) {
	return t.connect(ctx, &Connect{Address: address, Keep: true})
}

func (t *Transport) connect(ctx context.Context, msg *Connect) (*PeerConnection, error) {
	msg.call = &call{}
	result, err := askUnless[*Connected](ctx, t, msg, func() bool {
		withdrawn := msg.call.withdraw()
		if withdrawn {
			t.tell(&withdrawal{call: msg.call})
		}
		return withdrawn
	})
	if err != nil {
		return nil, peerError(msg.Address, err)
	}
	if result.Err == nil && msg.Keep {
		result.Err = t.book.Sync()
	}
	return result.Connection, result.Err
}

// Disconnect closes a peer's connections gracefully and stops redialling it, also in later runs. With forget it also
// removes the peer from the peer book, as Forget does. The error is ErrNotConnected if the peer was neither connected
// nor kept connected, or one of Forget's.
func (t *Transport) Disconnect(ctx context.Context, peerID string, forget bool) error {
	result, err := ask[*Disconnected](ctx, t, &Disconnect{
		Peer: peerID, Forget: forget, Code: wire.DisconnectNormal, Reason: wire.ReasonOperator,
	})
	if err != nil {
		return peerError(peerID, err)
	}
	err = errors.Join(result.Err, t.book.Sync())
	if err == nil && forget && t.opts.cluster != nil {
		err = t.changeBook(ctx, BookChange{Forget: []string{peerID}})
	}
	return err
}

// DisconnectConnection closes the connection with this number gracefully, verified or not, and returns it. The peer's
// other connections stay, and a peer that is kept connected is dialled again. The error is ErrNotConnected (errors.Is)
// if there is no such connection, ErrStopped or ctx's. Numbers are those of PeerConnection.Number, PeerInfo and the
// events.
func (t *Transport) DisconnectConnection(ctx context.Context, number uint64) (*PeerConnection, error) {
	result, err := ask[*ConnectionEnding](ctx, t, &DisconnectConnection{
		Connection: number, Code: wire.DisconnectNormal, Reason: wire.ReasonOperator,
	})
	if err != nil {
		return nil, err
	}
	return result.Connection, result.Err
}

// Allow adds keys to the allowlist and lifts their revocation. The change is on disk when it returns.
func (t *Transport) Allow(keys ...crypto.PublicKey) error {
	return t.changeBook(context.Background(), BookChange{Allow: keys})
}

// Revoke removes keys from the allowlist and revokes them. The change is on disk when it returns. Peers with these keys
// are disconnected at once and refused from then on, in either mode. Messages that their connections have read by then
// may still be delivered.
func (t *Transport) Revoke(keys ...crypto.PublicKey) error {
	return t.changeBook(context.Background(), BookChange{Revoke: keys})
}

// SetAuthMode selects the peers that may connect, and disconnects the others. The change is on disk when it returns.
func (t *Transport) SetAuthMode(mode AuthMode) error {
	if t.PID() == nil {
		return t.changeBook(context.Background(), BookChange{Mode: &mode})
	}
	_, err := t.SetAuthModeContext(context.Background(), mode)
	return err
}

// SetAuthModeContext is SetAuthMode that waits until the registry has checked every connection, and returns the number
// of peers that it disconnects. If ctx ends meanwhile, the mode is set and the error is ctx's.
func (t *Transport) SetAuthModeContext(ctx context.Context, mode AuthMode) (disconnected int, err error) {
	changed := t.changeBook(ctx, BookChange{Mode: &mode})
	if changed != nil && !errors.Is(changed, ErrMembers) {
		return 0, changed
	}
	applied, err := ask[*authApplied](ctx, t, &authChanged{mode: true})
	if err != nil {
		return 0, errors.Join(changed, err)
	}
	return applied.disconnected, changed
}

// changeAuth makes the registry check every connection again after a change of the book. It returns err, the result of
// the change.
func (t *Transport) changeAuth(change BookChange, err error) error {
	if err == nil && t.PID() != nil {
		t.tell(&authChanged{mode: change.Mode != nil})
	}
	return err
}
