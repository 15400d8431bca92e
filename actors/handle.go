package actors

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/wire"
)

// ErrTooLarge means that the sealed message would exceed MaxMessageSize.
var ErrTooLarge = errors.New("the message is too large")

// sharedMessage is one encoded message that is sent on any number of connections. It is immutable.
type sharedMessage struct {
	text    []byte // see Node.encode
	unpaced bool   // see frame
}

// Broadcast encodes a message once for any number of connections and returns a function that queues it on one of them,
// as Handle.Post does. post returns ErrTooLarge, ErrQueueFull or ErrClosed and is safe for concurrent use. err is an
// error of encoding.
func (n *Node) Broadcast(msg *wire.Message) (post func(to *Handle) error, err error) {
	shared, err := n.share(msg)
	if err != nil {
		return nil, err
	}
	return func(to *Handle) error { return to.postShared(shared) }, nil
}

func (n *Node) share(msg *wire.Message) (*sharedMessage, error) {
	f, err := n.encode(msg)
	if err != nil {
		return nil, err
	}
	return &sharedMessage{text: f.data, unpaced: f.unpaced}, nil
}

// errNoMessage is returned for a nil message.
var errNoMessage = errors.New("there is no message to send")

// frameSize returns the bytes that the message reserves: the size of its frame.
func (m *sharedMessage) frameSize() int { return smsgSize(m.text) }

// Handle gives other parts of the program access to a connection, but not to its socket, key or state. Safe for
// concurrent use.
type Handle struct {
	// Fixed at construction.
	pid  *actor.PID
	node *Node
	done chan struct{} // closed when the actor has stopped

	// Written by the actor, read by any goroutine.
	lastActivity atomic.Int64 // Unix nanoseconds of the wall clock
	roundTrip    atomic.Int64 // nanoseconds; 0: not known yet
	peerPings    atomic.Int64 // nanoseconds between the peer's last two pings; 0: not known yet
	complained   atomic.Bool  // the actor watches a full outbox
	paced        atomic.Bool  // messages may wait for the peer's rate limit
	foreign      atomic.Bool  // a frame was sealed for another connection
	ended        atomic.Pointer[Ended]
	verified     atomic.Pointer[Verified]

	outbox outbox // has its own lock
}

// PID returns the PID of the connection's actor.
func (h *Handle) PID() *actor.PID { return h.pid }

// Done returns a channel that is closed when the connection's actor has stopped.
func (h *Handle) Done() <-chan struct{} { return h.done }

// Ended returns the connection's report of its end, or nil before it and after a panic of its actor. A watcher of the
// actor asks here, since the notice of termination overtakes messages.
func (h *Handle) Ended() *Ended { return h.ended.Load() }

// LastVerified returns the connection's last Verified report, or nil. The registry asks when the actor has stopped:
// the report may still be in the registry's mailbox.
func (h *Handle) LastVerified() *Verified { return h.verified.Load() }

// RefusedForeign reports whether the connection has refused a frame that was sealed for another connection. The
// registry asks when the actor has stopped: the report Foreign may still be in the registry's mailbox.
func (h *Handle) RefusedForeign() bool { return h.foreign.Load() }

// LastActivity returns the time of the last fresh message by the node's clock, or zero before the first.
func (h *Handle) LastActivity() time.Time {
	if at := h.lastActivity.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// RoundTrip returns the last measured round-trip time, or 0 before the first.
func (h *Handle) RoundTrip() time.Duration { return time.Duration(h.roundTrip.Load()) }

// Queued returns the number of queued outbound messages and their bytes.
func (h *Handle) Queued() (messages, bytes int) { return h.outbox.depth() }

// Post encodes and queues a message. It waits neither for the peer nor for its rate limit. It returns ErrTooLarge,
// ErrQueueFull, ErrClosed, or an error of encoding.
func (h *Handle) Post(msg *wire.Message) error { return h.post(msg, nil) }

func (h *Handle) post(msg *wire.Message, result chan<- error) error {
	f, err := h.node.encode(msg)
	if err != nil {
		return err
	}
	f.result = result
	return h.enqueue(f, smsgSize(f.data))
}

func (h *Handle) postShared(msg *sharedMessage) error {
	size := msg.frameSize()
	f := h.node.frames.get(size)
	f.data, f.unpaced = append(f.data, msg.text...), msg.unpaced
	return h.enqueue(f, size)
}

// enqueue queues a frame that is sealed as size bytes. The first failure for lack of space is reported to the actor.
func (h *Handle) enqueue(f *frame, size int) error {
	err := ErrTooLarge
	if int64(size) <= h.node.Limits.MaxMessageSize {
		err = h.outbox.post(f, size)
	}
	if err == nil {
		return nil
	}
	h.node.frames.put(f)
	if errors.Is(err, ErrQueueFull) && h.complained.CompareAndSwap(false, true) {
		h.tell(&congested{})
	}
	return err
}

// Send queues a message and returns nil once the operating system has accepted it. Otherwise it returns an error of
// Post or of encoding, ErrWriteTimeout, ErrPaced, or the error of ctx.
//
// If ctx ends while the message waits for the peer's rate limit, the message is withdrawn. With a ctx that cannot end,
// it is withdrawn after Limits.WriteTimeout with ErrPaced. If ctx ends later, the message may still be sent.
func (h *Handle) Send(ctx context.Context, msg *wire.Message) error {
	result, ok := h.node.results.Get().(chan error)
	if !ok {
		result = make(chan error, 1)
	}
	err := h.post(msg, result)
	if err == nil {
		var resolved bool
		if err, resolved = h.await(ctx, result); !resolved {
			return err // the result may still arrive: do not reuse the channel
		}
	}
	h.node.results.Put(result)
	return err
}

// Close closes the connection gracefully: queued messages are sent first, then a disconnect message.
func (h *Handle) Close(code wire.DisconnectCode, reason string) {
	h.tell(&CloseGracefully{End: End{Code: code, Reason: reason}})
}

// startWriter implements outboxHost.
func (h *Handle) startWriter(run func()) { h.node.Writers.Go(run) }

// writeFailed implements outboxHost.
func (h *Handle) writeFailed(err error) { h.tell(&writeEnded{err: err}) }

func (h *Handle) tell(message any) { h.node.System.Root.Send(h.pid, message) }
