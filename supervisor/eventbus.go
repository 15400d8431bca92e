package supervisor

import (
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

// eventBus passes events and messages to the program's callbacks and to subscribed actors. onMessage and onEvent are
// fixed before the transport starts.
type eventBus struct {
	system    *actor.ActorSystem
	observer  Observer // nil: no observer
	onMessage func(*PeerConnection, *wire.Message)
	onEvent   func(Event)

	log         *slog.Logger
	limitedLog  *actors.LimitedLogger
	counters    *actors.Counters
	routes      *routeTable
	replies     *replies
	mu          sync.Mutex // held by writers of subscribers and handlers
	handlers    atomic.Pointer[map[wire.MessageType]Handler]
	subscribers atomic.Pointer[[]*subscriber]
	announced   announcements
	sink        *actor.PID // gets the answers to marks; nil before Start
}

func (b *eventBus) subscribed() bool { return len(b.all()) > 0 }

// publish passes an event to the callback and to every subscriber.
func (b *eventBus) publish(e Event) {
	b.notify(e)
	if b.onEvent != nil {
		b.onEvent(e)
	}
}
