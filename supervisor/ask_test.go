package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
)

// TestAskReturnsErrorAfterPanic makes the registry panic on a message whose caller waits without a deadline.
func TestAskReturnsErrorAfterPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := startNode(t, memnet.New(1), 1)
		_, err := ask[*Sent](t.Context(), node.Transport, &actors.Verified{}) // names no connection
		if !errors.Is(err, errInternal) {
			t.Errorf("the caller got %v, want %v", err, errInternal)
		}
		node.wantCount(actors.ActorRestarts, 1)
	})
}
