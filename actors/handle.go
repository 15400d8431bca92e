package actors

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/lazychan"
	"github.com/Snider/go-p2p/crypto/smsg"
	"github.com/Snider/go-p2p/wire"
)

// ErrTooLarge means that the sealed message would exceed MaxMessageSize.
var ErrTooLarge = errors.New("the message is too large")

// sharedMessage is one message that is sent on any number of connections. It is encoded at most once in each form, when
// the first connection needs it. Safe for concurrent use as long as the message is not modified.
type sharedMessage struct {
	msg           *wire.Message
	smsg, session sharedForm
	gathering     *Gathering // nil: the writers start at once
}

// sharedForm is a message encoded for all connections of one format.
type sharedForm struct {
	once sync.Once
	f    *frame // immutable
	err  error
}

// Broadcast checks a message for any number of connections and returns a function that queues it on one of them, as
// Handle.Post does. post returns ErrTooLarge, ErrQueueFull or ErrClosed and is safe for concurrent use. The message
// must not be modified before the last call of post has returned. err is an error of encoding.
func (n *Node) Broadcast(msg *wire.Message) (post func(to *Handle) error, err error) {
	return broadcast(msg, nil)
}

func broadcast(msg *wire.Message, gathering *Gathering) (post func(to *Handle) error, err error) {
	if err := valid(msg); err != nil {
		return nil, err
	}
	shared := &sharedMessage{msg: msg, gathering: gathering}
	return func(to *Handle) error { return to.postShared(shared) }, nil
}

// valid returns nil if a message can be encoded.
func valid(msg *wire.Message) error {
	if msg == nil {
		return errNoMessage
	}
	return msg.Validate()
}

// form returns the encoded message, encoding it at the first call.
func (s *sharedForm) form(encode func() (*frame, error)) (*frame, error) {
	s.once.Do(func() { s.f, s.err = encode() })
	return s.f, s.err
}

// errNoMessage is returned for a nil message.
var errNoMessage = errors.New("there is no message to send")

// Handle gives other parts of the program access to a connection, but not to its socket, key or state. Safe for
// concurrent use.
type Handle struct {
	// Fixed at construction.
	pid  *actor.PID
	node *Node
	done lazychan.Chan // closed when the actor has stopped

	// Written by the actor, read by any goroutine.
	lastActivity atomic.Int64 // Unix nanoseconds of the wall clock
	roundTrip    atomic.Int64 // nanoseconds; 0: not known yet
	peerPings    atomic.Int64 // nanoseconds between the peer's last two pings; 0: not known yet
	complained   atomic.Bool  // the actor watches a full outbox
	paced        atomic.Bool  // messages may wait for the peer's rate limit
	foreign      atomic.Bool  // a frame was sealed for another connection
	confirmed    atomic.Bool  // session: the peer has answered our first record
	ended        atomic.Pointer[Ended]
	verified     atomic.Pointer[Verified]
	session      atomic.Pointer[sessionCodec] // nil: SMSG
	traffic      inboundTraffic

	outbox outbox // has its own lock
}

// PID returns the PID of the connection's actor.
func (h *Handle) PID() *actor.PID { return h.pid }

// Done returns a channel that is closed when the connection's actor has stopped.
func (h *Handle) Done() <-chan struct{} { return h.done.Get(0) }

// Ended returns the connection's report of its end, or nil before it and after a panic of its actor. A watcher of the
// actor asks here, since the notice of termination overtakes messages.
func (h *Handle) Ended() *Ended { return h.ended.Load() }

// LastVerified returns the connection's last Verified report, or nil. The registry asks when the actor has stopped:
// the report may still be in the registry's mailbox.
func (h *Handle) LastVerified() *Verified { return h.verified.Load() }

// RefusedForeign reports whether the connection has refused a frame that was sealed for another connection. The
// registry asks when the actor has stopped: the report Foreign may still be in the registry's mailbox.
func (h *Handle) RefusedForeign() bool { return h.foreign.Load() }

// Confirmed reports whether the peer knows that this connection is verified, too. In a session that is when it has
// answered our first record; without one always.
func (h *Handle) Confirmed() bool { return h.session.Load() == nil || h.confirmed.Load() }

// LastActivity returns the time of the last fresh message by the node's clock, or zero before the first.
func (h *Handle) LastActivity() time.Time {
	if at := h.lastActivity.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// RoundTrip returns the last measured round-trip time, or 0 before the first.
func (h *Handle) RoundTrip() time.Duration { return time.Duration(h.roundTrip.Load()) }

// Clock returns the time for timestamps.
func (h *Handle) Clock() time.Time { return h.node.Clock() }

// Queued returns the number of queued outbound messages and their bytes.
func (h *Handle) Queued() (messages, bytes int) { return h.outbox.depth() }

// Post encodes and queues a message. It waits neither for the peer nor for its rate limit. It returns ErrTooLarge,
// ErrQueueFull, ErrClosed, or an error of encoding.
func (h *Handle) Post(msg *wire.Message) error { return h.post(msg, nil, false, nil) }

// Withdraw removes a message of Gathering.PostFor that waits for the peer's rate limit. If it returns true, the result
// is not called.
func (h *Handle) Withdraw(result Result) bool { return h.outbox.withdraw(result) }

// WithdrawAfter returns the time after which a message is withdrawn with ErrPaced if its sender cannot end the wait. It
// is 0 if no message waits for the peer's rate limit.
func (h *Handle) WithdrawAfter() time.Duration {
	if h.paced.Load() {
		return h.node.Limits.WriteTimeout
	}
	return 0
}

// post is Post with the result of the write. If inTurn, a ping waits for the peer's rate limit, too. The writer waits
// for the gathering, if there is one.
func (h *Handle) post(msg *wire.Message, result Result, inTurn bool, gathering *Gathering) error {
	f, err := h.encode(msg)
	if err != nil {
		return err
	}
	f.result, f.unpaced = result, f.unpaced && !inTurn
	return h.enqueue(f, gathering)
}

// encode returns a frame with a message in the format of the connection, which is fixed when the route is published.
func (h *Handle) encode(msg *wire.Message) (f *frame, err error) {
	if err := valid(msg); err != nil {
		return nil, err
	}
	if s := h.session.Load(); s != nil {
		f, err = h.node.encodeInSession(msg, s.self, s.peer)
	} else {
		f, err = h.node.encodeSMSG(msg)
	}
	if err != nil {
		return nil, err
	}
	f.unpaced = transportType(msg.Type)
	return f, nil
}

func (h *Handle) postShared(shared *sharedMessage) error {
	s, form := h.session.Load(), &shared.smsg
	if s != nil {
		form = &shared.session
	}
	encoded, err := form.form(func() (*frame, error) {
		if s != nil {
			return h.node.encodeInSession(shared.msg, s.self, "")
		}
		return h.node.encodeSMSG(shared.msg)
	})
	if err != nil {
		return err
	}
	f := h.node.frames.get(len(encoded.data) + endSize + smsg.Overhead)
	f.data, f.unpaced = append(f.data, encoded.data...), transportType(shared.msg.Type)
	return h.enqueue(f, shared.gathering)
}

// sizes returns the size of an encoded message that the peer compares with its limit, and the bytes that the message
// occupies in the outbox.
func (h *Handle) sizes(encoded []byte) (limited, charged int) {
	if h.session.Load() != nil {
		return sessionSize(encoded), len(encoded) + recordTail
	}
	charged = smsgSize(encoded)
	return charged, charged
}

// enqueue queues a frame; its writer waits for the gathering, if there is one. The first failure for lack of space is
// reported to the actor.
func (h *Handle) enqueue(f *frame, gathering *Gathering) error {
	err := ErrTooLarge
	if limited, charged := h.sizes(f.data); int64(limited) <= h.node.Limits.MaxMessageSize {
		err = gathering.post(h, f, charged)
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
func (h *Handle) Send(ctx context.Context, msg *wire.Message) error { return h.send(ctx, msg, false) }

// SendInTurn is Send for a ping behind messages: like them, it waits for the peer's rate limit. Other pings do not, and
// the peer drops a ping above its limit.
func (h *Handle) SendInTurn(ctx context.Context, msg *wire.Message) error {
	return h.send(ctx, msg, true)
}

func (h *Handle) send(ctx context.Context, msg *wire.Message, inTurn bool) error {
	result, ok := h.node.results.Get().(resultChan)
	if !ok {
		result = make(resultChan, 1)
	}
	err := h.post(msg, result, inTurn, nil)
	if err == nil {
		var resolved bool
		if err, resolved = h.await(ctx, result); !resolved {
			return err // the result may still arrive: do not reuse the channel
		}
	}
	h.node.results.Put(result)
	return err
}

// WithPongTimeout returns a context that ends with ctx, or after PongTimeout on the running clock with the cause
// context.DeadlineExceeded. The caller must call cancel.
func (h *Handle) WithPongTimeout(ctx context.Context) (within context.Context, cancel context.CancelFunc) {
	return h.node.Running.WithTimeout(ctx, h.node.Limits.PongTimeout)
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
