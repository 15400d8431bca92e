package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// spawner spawns the actors of connections. All have the same properties: protoactor keeps 240 bytes for each actor
// that has its own. The zero value is usable.
type spawner struct {
	mu    sync.Mutex   // held during a spawn
	props *actor.Props // nil: no connection was spawned
	next  *connection  // that is being spawned
}

// spawn spawns the actor of p under a name as a child of parent.
func (s *spawner) spawn(parent actor.SpawnerContext, p *connection, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.props == nil {
		s.props = actor.PropsFromProducer(
			// It runs once for each connection: one whose actor panics is stopped, never restarted.
			func() actor.Actor { return s.next },
			actor.WithMailbox(func() actor.Mailbox { return &s.next.mailbox }),
			// The PID is set before the actor runs: later writes would race with its goroutine.
			actor.WithOnInit(func(ctx actor.Context) { s.next.handle.pid = ctx.Self() }),
		)
	}
	s.next = p
	defer func() { s.next = nil }()
	if p.dispatcher.workers != nil {
		s.props.Configure(actor.WithDispatcher(&p.dispatcher))
	}
	_, err := parent.SpawnNamed(s.props, name)
	return err
}
