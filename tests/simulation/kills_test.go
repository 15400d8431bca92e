package simulation

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor"
)

func (w *world) stepKill() string {
	a, b, c := w.linked()
	if c == nil {
		return ""
	}
	w.upset(a.index, b.index, time.Now().Add(calmAfter))
	switch w.random.IntN(3) {
	case 0:
		w.system.Root.Stop(c.PID())
		return fmt.Sprintf("node %d: the actor of the connection to %d is stopped", a.index, b.index)
	case 1:
		w.system.Root.Poison(c.PID())
		return fmt.Sprintf("node %d: the actor of the connection to %d is poisoned", a.index, b.index)
	default:
		panicActor(w.system, c.PID())
		return fmt.Sprintf("node %d: the actor of the connection to %d panics", a.index, b.index)
	}
}

func (w *world) stepRegistry() string {
	n := w.some()
	if !n.up {
		return ""
	}
	n.mu.Lock()
	n.panicked = time.Now()
	n.mu.Unlock()
	w.system.Root.Send(n.transport.PID(), (*supervisor.Broadcast)(nil))
	return fmt.Sprintf("node %d: the registry panics", n.index)
}

// stepFuse makes the registry panic while it handles a message, at one of its next three clock readings.
func (w *world) stepFuse() string {
	n := w.some()
	if !n.up {
		return ""
	}
	n.fuse.Store(1 + w.random.Int32N(3))
	w.upsetAll(n.index, time.Now().Add(calmAfter))
	return fmt.Sprintf("node %d: the clock will panic inside the registry, at reading %d", n.index, n.fuse.Load())
}

// panicActor makes the actor of a connection panic with a nil CloseGracefully, which it dereferences.
func panicActor(system *actor.ActorSystem, pid *actor.PID) {
	system.Root.Send(pid, (*actors.CloseGracefully)(nil))
}
