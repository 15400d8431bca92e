package control

import (
	"fmt"
	"strings"
	"testing"

	"github.com/Snider/go-p2p/supervisor"
)

// The advice for the later dialect concerns releases, not the address.
func TestDialAdviceNamesReleases(t *testing.T) {
	advice := DialAdvice("ws://x:1/ws", fmt.Errorf("dial: %w: %w", supervisor.ErrHandshake, supervisor.ErrLaterDialect))
	if !strings.Contains(advice, "release") || strings.Contains(advice, "address") {
		t.Errorf("advice %q", advice)
	}
}

// A node that the peer's allowlist refuses learns the command that allows it.
func TestDialAdviceNamesTheAllowlistOfThePeer(t *testing.T) {
	refused := fmt.Errorf("%w: %s", supervisor.ErrRefused, `"peer not authorized"`)
	if advice := DialAdvice("x:1", refused); !strings.Contains(advice, "`node allow KEY` there") {
		t.Errorf("advice %q", advice)
	}
	if advice := DialAdvice("x:1", fmt.Errorf("%w: %s", supervisor.ErrRefused, `"the node is stopping"`)); advice != "" {
		t.Errorf("advice %q for another reason, want none", advice)
	}
}

// A node that the peer's operator refuses for a time learns that waiting helps. The address is right.
func TestDialAdviceNamesTheOperatorOfThePeer(t *testing.T) {
	refused := fmt.Errorf("%w: %s", supervisor.ErrRefused, `"disconnected by the operator"`)
	if advice := DialAdvice("x:1", refused); !strings.Contains(advice, "wait") || strings.Contains(advice, "address") {
		t.Errorf("advice %q", advice)
	}
}

// Both sides of a refusal for lack of a session learn which node to change.
func TestDialAdviceNamesTheSessionMode(t *testing.T) {
	refused := fmt.Errorf("%w: %s", supervisor.ErrRefused, `"session required"`)
	for err, want := range map[error]string{refused: "this node's sessions", supervisor.ErrSessionRequired: "there"} {
		if advice := DialAdvice("x:1", err); !strings.Contains(advice, want) || !strings.Contains(advice, "--session pin") {
			t.Errorf("%v: advice %q", err, advice)
		}
	}
}
