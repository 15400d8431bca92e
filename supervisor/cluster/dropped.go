package cluster

import (
	"errors"
	"runtime/debug"

	"github.com/Snider/go-p2p/actors"
)

// Dropper is a Bus that drops messages of other members before a subscription gets them.
type Dropper interface {
	// OnDrop sets the function that is called with the reason of each drop, on any goroutine.
	OnDrop(count func(reason actors.Counter))
}

// receive handles a message of another member. decode returns nil for a kind that does not belong to the subject. A
// message of such a kind, and one that does not decode, is counted.
func receive[T any](e *Engine, body []byte, decode func([]byte) (*T, error), handle func(*T)) {
	switch msg, err := decode(body); {
	case err != nil:
		e.dropped(err)
		e.opts.Log.Warn("a message of a member was ignored", "error", err)
	case msg == nil:
		e.unknown()
	default:
		handle(msg)
	}
}

// contain, deferred, keeps a panic in the handling of a member's message from ending the process.
func (e *Engine) contain() {
	if fault := recover(); fault != nil {
		e.opts.Log.Error("the handling of a member's message panicked and continues",
			"panic", fault, "stack", string(debug.Stack()))
	}
}

// dropped counts a message of another member that did not decode.
func (e *Engine) dropped(err error) {
	switch {
	case errors.Is(err, errVersion), errors.Is(err, errEarlier):
		e.drop(actors.ClusterDroppedVersion)
	default:
		e.drop(actors.ClusterDroppedMalformed)
	}
}

// refused counts a message of another member that this one does not process.
func (e *Engine) refused() { e.drop(actors.ClusterDroppedRefused) }

// unknown counts a message of a kind that this version does not know.
func (e *Engine) unknown() { e.drop(actors.ClusterDroppedVersion) }

func (e *Engine) drop(reason actors.Counter) {
	if local := e.localBook(); local != nil {
		local.Count(reason)
	}
}
