package supervisor

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// PeerConnection has no method to publish messages or events in the peer's name.
func TestHandleImplementsNoSink(t *testing.T) {
	if _, is := any(new(PeerConnection)).(actors.Sink); is {
		t.Error("a PeerConnection is an actors.Sink")
	}
}

// Faults crash connections of their own transport only.
func TestFaultsRefuseConnectionsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		c := a.dial(b)
		for name, err := range map[string]error{
			"another transport": b.faults.Crash(c), "no transport": new(Faults).Crash(c), "no connection": a.faults.Crash(nil),
		} {
			if !errors.Is(err, errOtherTransport) {
				t.Errorf("%s: %v, want %v", name, err, errOtherTransport)
			}
		}
		synctest.Wait()
		a.wantSlots(1, 0)
		a.crash(b.id())
		synctest.Wait()
		a.wantSlots(0, 0)
		a.wantCount(actors.ActorRestarts, 1)
	})
}

func TestGracefulCloseReportsAnEndedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		a, b := startNode(t, n, 1), startNode(t, n, 2)
		c := a.dial(b)
		if err := c.GracefulClose("enough", wire.DisconnectNormal); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if err := c.GracefulClose("again", wire.DisconnectNormal); !errors.Is(err, ErrClosed) {
			t.Errorf("an ended connection: %v, want %v", err, ErrClosed)
		}
	})
}

func TestBroadcastResultReturnsItsError(t *testing.T) {
	missed := []SendFailure{{Peer: "b", Err: ErrQueueFull}}
	for name, tt := range map[string]struct {
		result BroadcastResult
		want   error // nil: none
		list   bool  // a *BroadcastError
	}{
		"no peer connected": {BroadcastResult{}, nil, false},
		"all took it":       {BroadcastResult{Sent: 3}, nil, false},
		"one missed it":     {BroadcastResult{Sent: 2, Failed: missed}, ErrQueueFull, true},
		"stopped":           {BroadcastResult{Refused: ErrStopped}, ErrStopped, false},
	} {
		err := tt.result.Err()
		var list *BroadcastError
		if !errors.Is(err, tt.want) || errors.As(err, &list) != tt.list {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}
