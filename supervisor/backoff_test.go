package supervisor

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

func TestLongPause(t *testing.T) {
	displaced := func(reason string, remote bool) error {
		return closedAs(actors.End{Code: wire.DisconnectNormal, Reason: reason, Remote: remote})
	}
	tests := []struct {
		name string
		err  error
		want time.Duration
	}{
		{"no error", nil, 0},
		{"an ordinary failure", errors.New("refused"), 0},
		{"a bad handshake", actors.ErrHandshake, 0},
		{"the later dialect", fmt.Errorf("%w: %w", actors.ErrHandshake, actors.ErrLaterDialect), 5 * time.Minute},
		{"our own address", peerError("10.0.0.1:1", ErrOwnAddress), time.Minute},
		{"closed as a duplicate", displaced("duplicate connection", true), time.Minute},
		{"closed as a copy", displaced("identity in use from another address", true), time.Minute},
		{"we closed a duplicate", displaced("duplicate connection", false), 0},
		{"a plain close", displaced("closed by the peer", true), 0},
	}
	for _, tt := range tests {
		if got := longPause(tt.err); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
