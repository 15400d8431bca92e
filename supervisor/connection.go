package supervisor

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// fenceEvery is how many messages a connection may send a subscriber before it waits for it to have taken them.
const fenceEvery = 64

// PeerConnection is a handle on a connection: never its socket or key. Safe for concurrent use, also after the
// connection has ended.
type PeerConnection struct {
	handle      *actors.Handle
	self        string // this node's id
	hub         *hub
	peer        Peer
	peerAddress string // remote network address
	direction   Direction
	delivery    *actors.Delivery
	number      uint64
	strength    atomic.Int32 // actors.Strength
	unfenced    int          // owned by the delivery goroutine
}

// Peer returns who is at the other end, as it was when the connection opened.
func (c *PeerConnection) Peer() Peer { return c.peer }

// Direction returns who opened the connection.
func (c *PeerConnection) Direction() Direction { return c.direction }

// Verified reports whether the peer has proven that it holds its key.
func (c *PeerConnection) Verified() bool { return c.Strength().Verified() }

// Strength returns how well the peer has proven on this connection that it holds its key.
func (c *PeerConnection) Strength() Strength { return Strength(c.strength.Load()) }

func (c *PeerConnection) setStrength(s Strength) { c.strength.Store(int32(s)) }

// Number returns the connection's number, unique within the transport, as events and listings show it.
func (c *PeerConnection) Number() uint64 { return c.number }

// LastActivity returns when the last fresh message came; zero before the first.
func (c *PeerConnection) LastActivity() time.Time { return c.handle.LastActivity() }

// RoundTrip returns the last measured round-trip time; zero before the first.
func (c *PeerConnection) RoundTrip() time.Duration { return c.handle.RoundTrip() }

// Queued returns the messages and bytes that wait to be written.
func (c *PeerConnection) Queued() (messages, bytes int) { return c.handle.Queued() }

// PID returns the connection's actor.
func (c *PeerConnection) PID() *actor.PID { return c.handle.PID() }

// Send sends a message and returns once the operating system has it. See SendContext.
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

// Post queues a message and does not wait until the operating system has it: for senders that keep many on their way. In
// the queue it waits until the peer's rate limit admits it, see Transport.SendContext.
// What is lost when the connection ends is not reported. Its errors are ErrInvalidMessage, ErrTooLarge, ErrQueueFull and
// ErrClosed, inside a PeerError. Posting again makes
// sense once Queued has gone down.
func (c *PeerConnection) Post(msg *wire.Message) error {
	if err := checkAuthor(msg, c.self, c.peer.ID); err != nil {
		return peerError(c.peer.ID, err)
	}
	return peerError(c.peer.ID, c.handle.PostMessage(msg))
}

// GracefulClose sends what is queued, then a disconnect message with reason and code (protocol section 5), and closes.
// It does not wait, neither for the end nor for the peer's rate limit: queued messages above it are counted in
// messagesOverPeerRate.
func (c *PeerConnection) GracefulClose(reason string, code wire.DisconnectCode) {
	c.handle.Close(code, reason)
}

// hub is where events leave the tree: to the program's callbacks and to subscribed actors. The callbacks are fixed
// before the transport starts.
type hub struct {
	system    *actor.ActorSystem
	observer  Observer // nil: none
	onMessage func(*PeerConnection, *wire.Message)
	onEvent   func(Event)

	log         *slog.Logger
	counters    *actors.Counters
	mu          sync.Mutex                // for writers
	fences      map[string]*atomic.Uint64 // that each subscriber has answered, by its ID
	subscribers atomic.Pointer[[]*actor.PID]
}

// handle runs the program's handler.
func (h *hub) handle(c *PeerConnection, msg *wire.Message) {
	if h.observer != nil {
		began := time.Now()
		defer func() { h.observer.Handler(time.Since(began)) }()
	}
	h.onMessage(c, msg)
}

func (h *hub) subscribed() bool {
	list := h.subscribers.Load()
	return list != nil && len(*list) > 0
}

// publish hands an event to the callback and to every subscriber.
func (h *hub) publish(e Event) {
	h.tell(e)
	if h.onEvent != nil {
		h.onEvent(e)
	}
}

// tell posts an event to every subscriber.
func (h *hub) tell(e Event) {
	if list := h.subscribers.Load(); list != nil {
		for _, pid := range *list {
			h.system.Root.Send(pid, e)
		}
	}
}

// fence comes back by itself when a subscriber has taken the messages before it.
type fence struct{}

// GetAutoResponse implements actor.AutoRespond.
func (*fence) GetAutoResponse(actor.Context) any { return &fence{} }

// subscriberTries is how many fences in a row, one a second, a subscriber may leave unanswered.
const subscriberTries = 60

// awaitSubscribers waits, on a delivery goroutine, until each subscriber has taken the messages sent to it.
func (h *hub) awaitSubscribers() {
	for _, pid := range *h.subscribers.Load() {
		h.await(pid)
	}
}

// await waits for one subscriber. If that answers no connection's fence in subscriberTries tries, it is unsubscribed.
// Tries are counted rather than time, so that a standstill of the process costs one of them.
func (h *hub) await(pid *actor.PID) {
	answered := h.answered(pid).Load()
	for tries := 1; h.has(pid); tries++ {
		_, err := h.system.Root.RequestFuture(pid, &fence{}, time.Second).Result()
		if err != actor.ErrTimeout {
			h.answered(pid).Add(1) // it has taken the messages, or it is dead
			return
		}
		if now := h.answered(pid).Load(); now != answered {
			answered, tries = now, 0
		}
		if tries >= subscriberTries && h.change(pid, false) {
			h.counters.Inc(actors.SubscribersStuck)
			h.log.Error("a subscriber takes no messages and is unsubscribed", "subscriber", pid.Id)
		}
	}
}

// answered counts the fences that a subscriber has answered. An unsubscribed one has a counter of its own.
func (h *hub) answered(pid *actor.PID) *atomic.Uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := h.fences[pid.Id]; n != nil {
		return n
	}
	return new(atomic.Uint64)
}

func (h *hub) has(pid *actor.PID) bool {
	for _, p := range *h.subscribers.Load() {
		if p.Equal(pid) {
			return true
		}
	}
	return false
}

// subscribe adds a subscriber, unsubscribe takes it away.
func (h *hub) subscribe(pid *actor.PID)   { h.change(pid, true) }
func (h *hub) unsubscribe(pid *actor.PID) { h.change(pid, false) }

// change reports whether the subscriber was one before.
func (h *hub) change(pid *actor.PID, add bool) (before bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before = h.fences[pid.Id] != nil
	delete(h.fences, pid.Id)
	var next []*actor.PID
	if list := h.subscribers.Load(); list != nil {
		for _, p := range *list {
			if !p.Equal(pid) {
				next = append(next, p)
			}
		}
	}
	if add {
		next = append(next, pid)
		h.fences[pid.Id] = new(atomic.Uint64)
	}
	h.subscribers.Store(&next)
	return before
}
