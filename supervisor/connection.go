package supervisor

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/actors/lazychan"
	"github.com/Snider/go-p2p/wire"
)

// PeerConnection is a handle on a connection. It exposes neither socket nor key. Safe for concurrent use, also after
// the connection has ended.
type PeerConnection struct {
	handle      *actors.Handle
	self        string // this node's id
	bus         *eventBus
	peer        Peer
	peerAddress string // remote network address
	direction   Direction
	inbox       *actors.Inbox
	number      uint64
	agent       string
	confirms    bool                   // the peer announced wire.FeatureConfirm
	pinging     lazychan.Chan          // holds a value for each ping of SendConfirmed without an answer
	strength    atomic.Int32           // actors.Strength
	bucket      atomic.Pointer[bucket] // inbound, of its strength
	unfenced    int                    // owned by the inbox's goroutine
}

// Peer returns the peer as it was known when the connection opened.
func (c *PeerConnection) Peer() Peer { return c.peer }

// Direction returns which node opened the connection.
func (c *PeerConnection) Direction() Direction { return c.direction }

// Verified reports whether the peer has proven that it holds its key.
func (c *PeerConnection) Verified() bool { return c.Strength().Verified() }

// Strength returns how well the peer has proven on this connection that it holds its key.
func (c *PeerConnection) Strength() Strength { return Strength(c.strength.Load()) }

func (c *PeerConnection) setStrength(s Strength) { c.strength.Store(int32(s)) }

// Format returns the format of the connection's frames. It never changes.
func (c *PeerConnection) Format() Format { return c.handle.Format() }

// Number returns the connection's number, unique within the transport. Events and listings show the same number.
func (c *PeerConnection) Number() uint64 { return c.number }

// LastActivity returns the time of the last fresh message, or zero before the first.
func (c *PeerConnection) LastActivity() time.Time { return c.handle.LastActivity() }

// RoundTrip returns the last measured round-trip time, or zero before the first.
func (c *PeerConnection) RoundTrip() time.Duration { return c.handle.RoundTrip() }

// Queued returns the number of messages and bytes that wait to be written.
func (c *PeerConnection) Queued() (messages, bytes int) { return c.handle.Queued() }

// Traffic returns how many messages the connection has carried and dropped.
func (c *PeerConnection) Traffic() Traffic { return c.handle.Traffic() }

// ClockAhead returns by how much the peer's clock was ahead of this node's at its last message; negative: behind; zero
// before the first. It includes the time that the message took.
func (c *PeerConnection) ClockAhead() time.Duration { return c.handle.ClockAhead() }

// Agent returns the software and version that the peer has announced on this connection, or "". It is a claim for
// display, and even that only if Strength is Bound or more.
func (c *PeerConnection) Agent() string { return c.agent }

// PID returns the connection's actor.
func (c *PeerConnection) PID() *actor.PID { return c.handle.PID() }

// NewMessage returns a new message from this node to the connection's peer, with a new random ID and the node's time
// (WithClock). The payload and the errors are those of wire.NewMessage.
func (c *PeerConnection) NewMessage(kind wire.MessageType, payload any) (*wire.Message, error) {
	msg, err := wire.NewMessage(kind, c.self, c.peer.ID, payload)
	if err != nil {
		return nil, err
	}
	msg.Timestamp = c.handle.Clock().UTC()
	return msg, nil
}

// Send sends a message and returns when the operating system has accepted it. See SendContext.
func (c *PeerConnection) Send(msg *wire.Message) error {
	return c.SendContext(context.Background(), msg)
}

// SendContext is Transport.SendContext for this connection. Its errors are ErrInvalidMessage, ErrTooLarge,
// ErrQueueFull, ErrClosed, ErrWriteTimeout, ErrPaced and ctx's, inside a PeerError.
func (c *PeerConnection) SendContext(ctx context.Context, msg *wire.Message) error {
	if err := checkContext(ctx); err != nil {
		return peerError(c.peer.ID, err)
	}
	if err := checkAuthor(msg, c.self, c.peer.ID); err != nil {
		return peerError(c.peer.ID, err)
	}
	return peerError(c.peer.ID, c.handle.Send(ctx, msg))
}

// Post enqueues a message and does not wait until the operating system has accepted it. A sender with many messages in
// flight uses it. The message waits in the queue until the peer's rate limit admits it, see Transport.SendContext. A
// loss at the end of the connection is not reported. The errors are ErrInvalidMessage, ErrTooLarge, ErrQueueFull and
// ErrClosed, inside a PeerError. After ErrQueueFull, post again when Queued has gone down.
func (c *PeerConnection) Post(msg *wire.Message) error {
	if err := checkAuthor(msg, c.self, c.peer.ID); err != nil {
		return peerError(c.peer.ID, err)
	}
	return peerError(c.peer.ID, c.handle.Post(msg))
}

// GracefulClose flushes the queue, sends a disconnect message with reason and code (protocol section 5), and closes. It
// returns at once. The flush ignores the peer's rate limit: queued messages above it are counted in
// messagesOverPeerRate. It returns ErrClosed, inside a PeerError, if the connection has ended already.
func (c *PeerConnection) GracefulClose(reason string, code wire.DisconnectCode) error {
	select {
	case <-c.handle.Done():
		return peerError(c.peer.ID, ErrClosed)
	default:
		c.handle.Close(code, reason)
		return nil
	}
}
