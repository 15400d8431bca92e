package cluster

import (
	"errors"

	"github.com/Snider/go-p2p/actors"
)

// Dropper is a Bus that drops messages of other members before a subscription gets them.
type Dropper interface {
	// OnDrop sets the function that is called with the reason of each drop, on any goroutine.
	OnDrop(count func(reason actors.Counter))
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
