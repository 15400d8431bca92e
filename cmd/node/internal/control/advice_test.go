package control

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/actors"
)

// The advice for the later dialect is about releases, not about the address.
func TestDialAdviceNamesReleases(t *testing.T) {
	advice := dialAdvice("ws://x:1/ws", fmt.Errorf("dial: %w: %w", actors.ErrHandshake, actors.ErrLaterDialect))
	if !strings.Contains(advice, "release") || strings.Contains(advice, "address") {
		t.Errorf("advice %q", advice)
	}
}
