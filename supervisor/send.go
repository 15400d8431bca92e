package supervisor

import (
	"context"
	"errors"

	"github.com/Snider/go-p2p/crypto"
	"github.com/Snider/go-p2p/wire"
)

// Send sends a message to a peer and returns once the operating system has it. See SendContext. While the peer's rate limit
// holds the message back, Send waits at most TransportConfig.WriteTimeout; then it withdraws the message and returns
// ErrPaced.
func (t *Transport) Send(peerID string, msg *wire.Message) error {
	return t.SendContext(context.Background(), peerID, msg)
}

// SendContext sends a message to a peer and returns once the operating system has it, or when ctx ends; then the message
// may go out all the same. Nil does not mean that the peer's handler gets it: a peer drops, without an answer, what
// exceeds its rate limit, by default 100 messages at once and 50 per second. With PacingOn the message therefore waits in
// the queue until the limit that the peer announced, less one message and 2 %, admits it; one whose ctx ends meanwhile is
// withdrawn. Its errors are ErrNotConnected (also ErrUnverified), ErrInvalidMessage, ErrTooLarge, ErrQueueFull, ErrClosed, ErrWriteTimeout,
// ErrPaced (only with a ctx that cannot end) and ctx's, inside a PeerError.
func (t *Transport) SendContext(ctx context.Context, peerID string, msg *wire.Message) error {
	if err := checkContext(ctx); err != nil {
		return peerError(peerID, err)
	}
	way := t.directory.route(peerID)
	if way.conn == nil {
		return peerError(peerID, t.directory.missing(peerID))
	}
	for {
		for _, twin := range way.twins {
			_ = twin.Post(msg) // the route's result counts
		}
		err := way.conn.SendContext(ctx, msg)
		next := t.directory.route(peerID)
		if !errors.Is(err, ErrClosed) || next.conn == nil || next.conn == way.conn {
			return err
		}
		way = next // the peer's traffic has moved; if the message did go out, the peer drops the copy
	}
}

// Broadcast queues a message for every connected peer but the one named in its From, and waits for none of them: in the
// queues, messages wait for the rate limits of the peers. The
// error is a *BroadcastError that says for each peer that missed it why.
func (t *Transport) Broadcast(msg *wire.Message) error {
	_, failed, err := t.BroadcastContext(context.Background(), msg)
	if err == nil && len(failed) > 0 {
		err = &BroadcastError{Failed: failed}
	}
	return err
}

// BroadcastContext is Broadcast that also says how many peers' queues took the message, and which missed it. The
// error is ErrStopped, ErrInvalidMessage or ctx's.
func (t *Transport) BroadcastContext(ctx context.Context, msg *wire.Message) (sent int, failed []SendFailure, err error) {
	result, err := ask[*Broadcasted](ctx, t, &Broadcast{Message: msg})
	if err != nil {
		return 0, nil, err
	}
	return result.Sent, result.Failed, result.Err
}

// Connect opens a connection to a peer, of which Address is needed and ID may be given: then another node that answers
// there is refused with ErrWrongIdentity, so a placeholder in ID fails too. If ID is empty, Connect fills in ID,
// Name, PublicKey and Role of the peer that answered; calls at the same time must not share such a Peer. Nothing else in
// peer is changed, and nothing after an error. The peer is not kept connected. If it is connected already, Connect
// returns that connection.
func (t *Transport) Connect(peer *Peer) (*PeerConnection, error) {
	return t.ConnectContext(context.Background(), peer)
}

// ConnectContext is Connect that gives up when ctx ends: its dial is cancelled unless another caller waits for it, or the
// peer is kept connected. A call that returns an error leaves no connection behind; one with a ctx that has ended does not
// dial.
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

// ConnectAddress opens a connection to whoever answers at an address, remembers the peer in the peer book, and keeps it
// connected from then on. When it returns an error, that of a ctx that ended included, nothing is remembered, nothing
// dialled again, and no connection of its own is left.
func (t *Transport) ConnectAddress(ctx context.Context, address string) (*PeerConnection, error) {
	return t.connect(ctx, &Connect{Address: address, Keep: true})
}

func (t *Transport) connect(ctx context.Context, msg *Connect) (*PeerConnection, error) {
	msg.call = &call{}
	result, err := askUnless[*Connected](ctx, t, msg, func() bool {
		left := msg.call.withdraw()
		if left {
			t.tell(&withdrawal{call: msg.call})
		}
		return left
	})
	if err != nil {
		return nil, peerError(msg.Address, err)
	}
	if result.Err == nil && msg.Keep {
		result.Err = t.book.Sync()
	}
	return result.Connection, result.Err
}

// Disconnect ends a peer's connections gracefully, stops redialling it, in later runs too, and with forget removes it
// from the peer book. ErrNotConnected means that it was neither connected nor kept connected.
func (t *Transport) Disconnect(ctx context.Context, peerID string, forget bool) error {
	result, err := ask[*Disconnected](ctx, t, &Disconnect{
		Peer: peerID, Forget: forget, Code: wire.DisconnectNormal, Reason: reasonOperator,
	})
	if err != nil {
		return peerError(peerID, err)
	}
	return errors.Join(result.Err, t.book.Sync())
}

// DisconnectConnection ends the connection with this number gracefully, verified or not, and returns it. The peer's
// other connections stay, and a peer that is kept connected is dialled again. The error is ErrNotConnected, by
// errors.Is, if there is no such connection, ErrStopped or ctx's. Numbers are those of PeerConnection.Number, PeerInfo
// and the events.
func (t *Transport) DisconnectConnection(ctx context.Context, number uint64) (*PeerConnection, error) {
	result, err := ask[*ConnectionEnding](ctx, t, &DisconnectConnection{
		Connection: number, Code: wire.DisconnectNormal, Reason: reasonOperator,
	})
	if err != nil {
		return nil, err
	}
	return result.Connection, result.Err
}

// Allow puts keys on the allowlist, on disk before it returns.
func (t *Transport) Allow(ctx context.Context, keys ...crypto.PublicKey) error {
	return t.changeAuth(ctx, func() error { return t.book.Allow(keys...) })
}

// Revoke takes keys off the allowlist, on disk before it returns; who holds one is disconnected at once and not let in
// again.
func (t *Transport) Revoke(ctx context.Context, keys ...crypto.PublicKey) error {
	return t.changeAuth(ctx, func() error { return t.book.Revoke(keys...) })
}

// SetAuthMode sets who may connect, on disk before it returns; who may not any more is disconnected.
func (t *Transport) SetAuthMode(ctx context.Context, mode AuthMode) error {
	return t.changeAuth(ctx, func() error { return t.book.SetAuthMode(mode) })
}

// changeAuth makes a change of the allowlist or the mode and has the registry check every connection again. With a ctx
// that is nil or has ended it changes nothing.
func (t *Transport) changeAuth(ctx context.Context, change func() error) error {
	err := checkContext(ctx)
	if err == nil {
		err = change()
	}
	if err == nil && t.PID() != nil {
		t.tell(&authChanged{})
	}
	return err
}
