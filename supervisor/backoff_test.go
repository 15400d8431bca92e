package supervisor

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/wire"
)

func TestLongPauseFollowsError(t *testing.T) {
	closed := func(reason string, remote bool, before int) error {
		_, err := closedAs(actors.End{Code: wire.DisconnectNormal, Reason: reason, Remote: remote}, before)
		return err
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
		{"the second close as a duplicate in a row", closed("duplicate connection", true, 1), 0},
		{"the third", closed("duplicate connection", true, 2), time.Minute},
		{"closed as a copy", closed("identity in use from another address", true, 0), time.Minute},
		{"we closed a duplicate", closed("duplicate connection", false, 2), 0},
		{"a plain close", closed("closed by the peer", true, 2), 0},
	}
	for _, tt := range tests {
		if got := longPause(tt.err); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	row, _ := closedAs(actors.End{Reason: "duplicate connection", Remote: true}, 1)
	if after, _ := closedAs(actors.End{Reason: "closed by the peer", Remote: true}, row); row != 2 || after != 0 {
		t.Errorf("%d closes in a row, %d after an ordinary end; want 2 and 0", row, after)
	}
}
