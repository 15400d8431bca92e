package supervisor

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
)

const (
	// fenceEvery: after 64 messages to a subscriber, the connection waits until the subscriber has processed them.
	fenceEvery = 64
	// markEvery is the number of messages to a subscriber between two marks.
	markEvery = 8
	// subscriberTries is the number of consecutive tries, one per second, in which a subscriber may process no message.
	subscriberTries = 60
)

// subscriber is an actor that gets every event. A mark follows every eighth message. It distinguishes a slow subscriber
// from a stuck one:
//
//	mailbox   │ 8 messages │ mark │ 8 messages │ mark │ … │ fence │
//	                taken → taken++             awaited: deliveries continue once it is answered
type subscriber struct {
	pid   *actor.PID
	all   bool          // also the messages of ownType
	sent  atomic.Uint64 // messages
	taken atomic.Uint64 // marks and fences

	answered sync.WaitGroup // done when the answer to Subscribe is sent: nothing overtakes it
}

// mark increments the counter when the subscriber has processed all earlier messages, and is answered to its sender.
type mark struct{ taken *atomic.Uint64 }

// GetAutoResponse implements actor.AutoRespond. It runs on the subscriber's goroutine.
func (m *mark) GetAutoResponse(actor.Context) any {
	m.taken.Add(1)
	return m
}

// nowhere is a process that drops every message. It is the sender of marks: their answers would be dead letters.
type nowhere struct{}

// SendUserMessage implements actor.Process.
func (nowhere) SendUserMessage(*actor.PID, any) {}

// SendSystemMessage implements actor.Process.
func (nowhere) SendSystemMessage(*actor.PID, any) {}

// Stop implements actor.Process.
func (nowhere) Stop(*actor.PID) {}

// open makes the bus ready for subscribers. The owner must call close.
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

// notify sends an event to every subscriber. Each gets its own copy, which it may change.
func (b *eventBus) notify(e Event) {
	for _, s := range b.all() {
		s.answered.Wait()
		own := e
		if conflict, is := e.(IdentityConflict); is {
			conflict.Addresses = slices.Clone(conflict.Addresses)
			own = conflict
		}
		b.system.Root.Send(s.pid, own)
	}
}

// deliver sends a copy of a message to every subscriber that wants its type, with a mark after every eighth.
func (b *eventBus) deliver(e Received) {
	own := ownType(e.Message.Type)
	for _, s := range b.all() {
		if own && !s.all {
			continue
		}
		s.answered.Wait()
		b.system.Root.Send(s.pid, Received{Connection: e.Connection, Message: copied(e.Message)})
		if s.sent.Add(1)%markEvery == 0 {
			b.system.Root.RequestWithCustomSender(s.pid, &mark{&s.taken}, b.sink)
		}
	}
}

// awaitSubscribers waits until each subscriber has processed the messages sent to it. It runs on a delivery goroutine.
func (b *eventBus) awaitSubscribers() {
	for _, s := range b.all() {
		b.await(s)
	}
}

// await waits for one subscriber. It unsubscribes an actor that processes no message of any connection in
// subscriberTries consecutive tries. It counts tries instead of time, so that a standstill of the process costs one
// try.
func (b *eventBus) await(s *subscriber) {
	taken := s.taken.Load()
	for tries := 1; slices.Contains(b.all(), s); tries++ {
		_, err := b.system.Root.RequestFuture(s.pid, &mark{&s.taken}, time.Second).Result()
		if err != actor.ErrTimeout {
			return // the subscriber has processed the messages, or it is dead
		}
		if now := s.taken.Load(); now != taken {
			taken, tries = now, 0
		}
		if tries >= subscriberTries && b.change(s.pid, nil) {
			b.counters.Inc(actors.SubscribersStuck)
			b.log.Error("a subscriber processes no messages and was unsubscribed", "subscriber", s.pid.Id)
		}
	}
}

// unsubscribe removes a subscriber.
func (b *eventBus) unsubscribe(pid *actor.PID) { b.change(pid, nil) }

// change replaces the subscriber of a PID, or removes it if next is nil. It reports whether pid was subscribed before.
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
