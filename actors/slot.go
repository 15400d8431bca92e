package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/socket"
)

// Slot is a place among the node's connections: it exists as long as the connection's actor does. Whoever accepted
// or dialled gives it the socket, or the reason why there is none, exactly once, and forgets it.
type Slot struct {
	handle *Handle

	mu     sync.Mutex
	ended  bool
	socket *socket.Conn
}

// Attach hands the socket over. It reports false when the actor has ended already: then the socket has been closed.
func (s *Slot) Attach(socket *socket.Conn) bool {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		socket.Release()
		return false
	}
	s.socket = socket
	s.mu.Unlock()
	s.handle.tell(&attached{})
	return true
}

// Fail says that there will be no socket.
func (s *Slot) Fail(err error) { s.handle.tell(&failed{err: err}) }

// Handle is what others may hold of the connection.
func (s *Slot) Handle() *Handle { return s.handle }

// take returns the attached socket, for the actor.
func (s *Slot) take() *socket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socket
}

// end refuses a socket from now on and returns the one that was attached, if any.
func (s *Slot) end() *socket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return s.socket
}

// Spawner is the part of an actor's context that makes children.
type Spawner interface {
	Self() *actor.PID
	SpawnNamed(props *actor.Props, name string) (*actor.PID, error)
}

// SpawnPeer starts the actor of one connection as a child of parent and returns its slot. The handshake timeout
// runs from here.
func SpawnPeer(parent Spawner, node *Node, opening Opening) (*Slot, error) {
	name := "peer" + node.System.ProcessRegistry.NextId()
	p := newPeer(node, parent.Self(), opening)
	// The PID is set before the actor runs, so that nothing is written once the two run side by side.
	named := actor.WithOnInit(func(ctx actor.Context) { p.handle.pid = ctx.Self() })
	props := actor.PropsFromProducer(func() actor.Actor { return p }, named)
	if p.dispatcher.workers != nil {
		props.Configure(actor.WithDispatcher(&p.dispatcher))
	}
	// The producer runs once only: a connection whose actor failed is stopped, never restarted.
	if _, err := parent.SpawnNamed(props, name); err != nil {
		return nil, err
	}
	return p.slot, nil
}
