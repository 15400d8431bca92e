package actors

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// ErrTooLarge means that a message, sealed, would be larger than MaxMessageSize.
var ErrTooLarge = errors.New("the message is too large")

// Outgoing is one message, encoded once, on its way to any number of connections. Nothing in it changes.
type Outgoing struct {
	text    []byte // see Node.encode
	unpaced bool   // see frame
}

// LogValue implements slog.LogValuer: an actor system logs what it cannot deliver, and this may be a secret.
func (*Outgoing) LogValue() slog.Value { return slog.StringValue("a message") }

// Encode makes a message ready to be sent. It is safe to keep and to share; nothing in it changes afterwards.
func (n *Node) Encode(msg *wire.Message) (*Outgoing, error) {
	f, err := n.encode(msg)
	if err != nil {
		return nil, err
	}
	return &Outgoing{text: f.data, unpaced: f.unpaced}, nil
}

// errNoMessage is what sending nothing ends in.
var errNoMessage = errors.New("there is no message to send")

// room is what the message is counted with on its way: the size of its frame.
func (o *Outgoing) frameSize() int { return frameSize(o.text) }

// Handle is what others hold of a connection: never its socket, its key or its state. Safe for concurrent use.
type Handle struct {
	// Fixed at construction.
	pid  *actor.PID
	node *Node
	done chan struct{} // closed when the actor has stopped

	// Written by the actor, read by anybody.
	lastActivity atomic.Int64 // Unix nanoseconds of the wall clock
	roundTrip    atomic.Int64 // nanoseconds; 0: not known yet
	peerPings    atomic.Int64 // nanoseconds between the peer's last two pings; 0: not known yet
	complained   atomic.Bool  // the actor watches a queue that had no room
	paced        atomic.Bool  // messages may wait for the peer's rate limit
	ended        atomic.Pointer[Ended]
	verified     atomic.Pointer[Verified]

	outbox outbox // has its own lock
}

// PID is the connection's actor.
func (h *Handle) PID() *actor.PID { return h.pid }

// Done is closed when the connection's actor has stopped.
func (h *Handle) Done() <-chan struct{} { return h.done }

// Ended is what the connection said of its end; nil before, and when its actor panicked. Who hears of the actor's
// termination asks here, since that news overtakes messages.
func (h *Handle) Ended() *Ended { return h.ended.Load() }

// LastVerified returns the last proof that the connection reported, or nil. The registry asks when the connection's actor has
// stopped: the report may still wait in its mailbox then.
func (h *Handle) LastVerified() *Verified { return h.verified.Load() }

// LastActivity is when the last fresh message came, by the node's clock; zero before the first.
func (h *Handle) LastActivity() time.Time {
	if at := h.lastActivity.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// RoundTrip is the last measured round-trip time, 0 when there is none yet.
func (h *Handle) RoundTrip() time.Duration { return time.Duration(h.roundTrip.Load()) }

// Queued returns the messages and bytes that wait to be written.
func (h *Handle) Queued() (messages, bytes int) { return h.outbox.depth() }

// PostMessage encodes a message that goes to this connection only, and posts it. The errors are those of Post and of
// encoding.
func (h *Handle) PostMessage(msg *wire.Message) error { return h.post(msg, nil) }

func (h *Handle) post(msg *wire.Message, result chan<- error) error {
	f, err := h.node.encode(msg)
	if err != nil {
		return err
	}
	f.reserved, f.result = frameSize(f.data), result
	if err = h.reserve(f.reserved); err != nil {
		h.node.frames.put(f)
		return err
	}
	h.tell(f)
	return nil
}

// Post queues a message and does not wait, neither for the peer nor for its rate limit. The errors are ErrTooLarge, ErrQueueFull and ErrClosed.
func (h *Handle) Post(o *Outgoing) error {
	if err := h.reserve(o.frameSize()); err != nil {
		return err
	}
	h.tell(o)
	return nil
}

// reserve makes room for a frame of size bytes, or says why there is none. Of the first that finds none the connection is
// told.
func (h *Handle) reserve(size int) error {
	if int64(size) > h.node.Limits.MaxMessageSize {
		return ErrTooLarge
	}
	err := h.outbox.reserve(size)
	if errors.Is(err, ErrQueueFull) && h.complained.CompareAndSwap(false, true) {
		h.tell(&congested{})
	}
	return err
}

// Send queues a message and returns once the operating system has it, or with the reason why not: the errors of
// Post, ErrWriteTimeout, ErrPaced, those of encoding, or ctx's. While the peer's rate limit holds the message back, the end
// of ctx withdraws it; with a ctx that cannot end, Limits.WriteTimeout does, with ErrPaced. Otherwise, when ctx ends first
// the message may still be sent.
func (h *Handle) Send(ctx context.Context, msg *wire.Message) error {
	result, ok := h.node.results.Get().(chan error)
	if !ok {
		result = make(chan error, 1)
	}
	err := h.post(msg, result)
	if err == nil {
		var settled bool
		if err, settled = h.await(ctx, result); !settled {
			return err // the answer may still come into result: no other sender may have it
		}
	}
	h.node.results.Put(result)
	return err
}

// Close ends the connection gracefully: queued messages first, then a disconnect message.
func (h *Handle) Close(code wire.DisconnectCode, reason string) {
	h.tell(&CloseGracefully{End: End{Code: code, Reason: reason}})
}

// startWriter implements outboxHost.
func (h *Handle) startWriter(run func()) { h.node.Writers.Go(run) }

// writeFailed implements outboxHost.
func (h *Handle) writeFailed(err error) { h.tell(&writeEnded{err: err}) }

func (h *Handle) tell(message any) { h.node.System.Root.Send(h.pid, message) }
