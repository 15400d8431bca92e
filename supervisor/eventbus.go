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

// eventBus passes events and messages to the program's callbacks and to subscribed actors. The callbacks are fixed
// before the transport starts.
type eventBus struct {
	system    *actor.ActorSystem
	observer  Observer // nil: no observer
	onMessage func(*PeerConnection, *wire.Message)
	onEvent   func(Event)

	log         *slog.Logger
	counters    *actors.Counters
	mu          sync.Mutex // held by writers of subscribers
	subscribers atomic.Pointer[[]*subscriber]
	sink        *actor.PID // gets the answers to marks; nil before Start
}

// runHandler calls the program's message handler.
func (b *eventBus) runHandler(c *PeerConnection, msg *wire.Message) {
	if b.observer != nil {
		began := time.Now()
		defer func() { b.observer.Handler(time.Since(began)) }()
	}
	b.onMessage(c, msg)
}

func (b *eventBus) subscribed() bool { return len(b.all()) > 0 }

// publish passes an event to the callback and to every subscriber.
func (b *eventBus) publish(e Event) {
	b.notify(e)
	if b.onEvent != nil {
		b.onEvent(e)
	}
}
