package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors/socket"
)

// Slot is one of the node's MaxConns connection slots. It exists as long as the connection's actor. The caller that
// accepts or dials calls Attach or Fail exactly once.
type Slot struct {
	handle *Handle

	mu     sync.Mutex
	ended  bool
	socket *socket.Conn
}

// Attach passes the socket to the actor. If the actor has ended it closes the socket and returns false.
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

// Fail reports that there will be no socket.
func (s *Slot) Fail(err error) { s.handle.tell(&failed{err: err}) }

// Handle returns the handle of the connection.
func (s *Slot) Handle() *Handle { return s.handle }

// take returns the attached socket, or nil. Only for the actor.
func (s *Slot) take() *socket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socket
}

// end makes Attach fail from now on, and returns the attached socket or nil.
func (s *Slot) end() *socket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return s.socket
}

// SpawnPeer starts the actor of one connection as a child of parent and returns its slot. The handshake timeout starts
// now unless Opening.Since is set. It fails if parent already has a child of that name or is stopping. Only parent's
// own actor may call it.
func SpawnPeer(parent actor.SpawnerContext, node *Node, opening Opening) (*Slot, error) {
	name := "peer" + node.System.ProcessRegistry.NextId()
	p := newConnection(node, parent.Self(), opening)
	if err := node.spawner.spawn(parent, p, name); err != nil {
		return nil, err
	}
	return p.slot, nil
}
