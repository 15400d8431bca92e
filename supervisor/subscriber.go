package supervisor

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

const (
	// fenceEvery is how many messages a connection may send a subscriber before it waits for it to have taken them.
	fenceEvery = 64
	// markEvery is how many messages are sent to a subscriber between two marks.
	markEvery = 8
	// subscriberTries is how many tries in a row, one per second, may pass in which a subscriber takes no message.
	subscriberTries = 60
)

// subscriber is an actor that gets every event. Every eighth message is followed by a mark, so that a slow subscriber is
// told from a stuck one:
//
//	mailbox   │ 8 messages │ mark │ 8 messages │ mark │ … │ fence │
//	                taken → taken++             awaited: deliveries continue once it is answered
type subscriber struct {
	pid   *actor.PID
	sent  atomic.Uint64 // messages
	taken atomic.Uint64 // marks and fences
}

// mark counts itself when the subscriber has taken the messages before it, and is answered to its sender.
type mark struct{ taken *atomic.Uint64 }

// GetAutoResponse implements actor.AutoRespond. It runs on the subscriber's goroutine.
func (m *mark) GetAutoResponse(actor.Context) any {
	m.taken.Add(1)
	return m
}

// nowhere is a process that drops what it is sent: the sender of marks, whose answers would be dead letters otherwise.
type nowhere struct{}

// SendUserMessage implements actor.Process.
func (nowhere) SendUserMessage(*actor.PID, any) {}

// SendSystemMessage implements actor.Process.
func (nowhere) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (nowhere) Stop(*actor.PID) {}

// open makes the bus ready for subscribers; close must follow.
func (b *eventBus) open() {
	registry := b.system.ProcessRegistry
	b.sink, _ = registry.Add(nowhere{}, "p2p-marks-"+registry.NextId())
}

func (b *eventBus) close() { b.system.ProcessRegistry.Remove(b.sink) }

func (b *eventBus) all() []*subscriber {
	if list := b.subscribers.Load(); list != nil {
		return *list
	}
	return nil
}

// notify posts an event to every subscriber. Each gets its own: it may change what the event refers to.
func (b *eventBus) notify(e Event) {
	for _, s := range b.all() {
		own := e
		if conflict, is := e.(IdentityConflict); is {
			conflict.Addresses = slices.Clone(conflict.Addresses)
			own = conflict
		}
		b.system.Root.Send(s.pid, own)
	}
}

// deliver posts a copy of a message to every subscriber, with a mark after every eighth.
func (b *eventBus) deliver(e Received) {
	for _, s := range b.all() {
		b.system.Root.Send(s.pid, Received{Connection: e.Connection, Message: copied(e.Message)})
		if s.sent.Add(1)%markEvery == 0 {
			b.system.Root.RequestWithCustomSender(s.pid, &mark{&s.taken}, b.sink)
		}
	}
}

// awaitSubscribers waits, on a delivery goroutine, until each subscriber has taken the messages sent to it.
func (b *eventBus) awaitSubscribers() {
	for _, s := range b.all() {
		b.await(s)
	}
}

// await waits for one subscriber. If it takes no message of any connection in subscriberTries tries, it is unsubscribed,
// however many it took before. Tries are counted rather than time, so that a standstill of the process costs one of them.
func (b *eventBus) await(s *subscriber) {
	taken := s.taken.Load()
	for tries := 1; slices.Contains(b.all(), s); tries++ {
		_, err := b.system.Root.RequestFuture(s.pid, &mark{&s.taken}, time.Second).Result()
		if err != actor.ErrTimeout {
			return // it has taken the messages, or it is dead
		}
		if now := s.taken.Load(); now != taken {
			taken, tries = now, 0
		}
		if tries >= subscriberTries && b.change(s.pid, nil) {
			b.counters.Inc(actors.SubscribersStuck)
			b.log.Error("a subscriber takes no messages and is unsubscribed", "subscriber", s.pid.Id)
		}
	}
}

// subscribe adds a subscriber, unsubscribe takes it away.
func (b *eventBus) subscribe(pid *actor.PID)   { b.change(pid, &subscriber{pid: pid}) }
func (b *eventBus) unsubscribe(pid *actor.PID) { b.change(pid, nil) }

// change replaces the subscriber of a PID; nil: by none. It reports whether there was one.
func (b *eventBus) change(pid *actor.PID, by *subscriber) (before bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var next []*subscriber
	for _, s := range b.all() {
		if s.pid.Equal(pid) {
			before = true
			continue
		}
		next = append(next, s)
	}
	if by != nil {
		next = append(next, by)
	}
	b.subscribers.Store(&next)
	return before
}
