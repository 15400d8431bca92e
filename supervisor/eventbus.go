package supervisor

import (
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

// hub is where events leave the tree: to the program's callbacks and to subscribed actors. The callbacks are fixed
// before the transport starts.
type eventBus struct {
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

// runHandler runs the program's handler.
func (b *eventBus) runHandler(c *PeerConnection, msg *wire.Message) {
	if b.observer != nil {
		began := time.Now()
		defer func() { b.observer.Handler(time.Since(began)) }()
	}
	b.onMessage(c, msg)
}

func (b *eventBus) subscribed() bool {
	list := b.subscribers.Load()
	return list != nil && len(*list) > 0
}

// publish hands an event to the callback and to every subscriber.
func (b *eventBus) publish(e Event) {
	b.notify(e)
	if b.onEvent != nil {
		b.onEvent(e)
	}
}

// notify posts an event to every subscriber.
func (b *eventBus) notify(e Event) {
	if list := b.subscribers.Load(); list != nil {
		for _, pid := range *list {
			b.system.Root.Send(pid, e)
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
func (b *eventBus) awaitSubscribers() {
	for _, pid := range *b.subscribers.Load() {
		b.awaitSubscriber(pid)
	}
}

// awaitSubscriber waits for one subscriber. If that answers no connection's fence in subscriberTries tries, it is unsubscribed.
// Tries are counted rather than time, so that a standstill of the process costs one of them.
func (b *eventBus) awaitSubscriber(pid *actor.PID) {
	answered := b.answered(pid).Load()
	for tries := 1; b.has(pid); tries++ {
		_, err := b.system.Root.RequestFuture(pid, &fence{}, time.Second).Result()
		if err != actor.ErrTimeout {
			b.answered(pid).Add(1) // it has taken the messages, or it is dead
			return
		}
		if now := b.answered(pid).Load(); now != answered {
			answered, tries = now, 0
		}
		if tries >= subscriberTries && b.change(pid, false) {
			b.counters.Inc(actors.SubscribersStuck)
			b.log.Error("a subscriber takes no messages and is unsubscribed", "subscriber", pid.Id)
		}
	}
}

// answered counts the fences that a subscriber has answered. An unsubscribed one has a counter of its own.
func (b *eventBus) answered(pid *actor.PID) *atomic.Uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := b.fences[pid.Id]; n != nil {
		return n
	}
	return new(atomic.Uint64)
}

func (b *eventBus) has(pid *actor.PID) bool {
	for _, p := range *b.subscribers.Load() {
		if p.Equal(pid) {
			return true
		}
	}
	return false
}

// subscribe adds a subscriber, unsubscribe takes it away.
func (b *eventBus) subscribe(pid *actor.PID)   { b.change(pid, true) }
func (b *eventBus) unsubscribe(pid *actor.PID) { b.change(pid, false) }

// change reports whether the subscriber was one before.
func (b *eventBus) change(pid *actor.PID, add bool) (before bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before = b.fences[pid.Id] != nil
	delete(b.fences, pid.Id)
	var next []*actor.PID
	if list := b.subscribers.Load(); list != nil {
		for _, p := range *list {
			if !p.Equal(pid) {
				next = append(next, p)
			}
		}
	}
	if add {
		next = append(next, pid)
		b.fences[pid.Id] = new(atomic.Uint64)
	}
	b.subscribers.Store(&next)
	return before
}
