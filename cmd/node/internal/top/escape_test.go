package top

import (
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/output"
)

// No control character of a peer's text reaches the terminal.
func TestDetailsEscapeEveryField(t *testing.T) {
	const attack = "\x1b]8;;http://x\a\u009b31m"
	p := output.Peer{
		ID: "a" + attack, Name: "n" + attack, PublicKey: "k" + attack, Address: attack, Role: "dual" + attack,
		Direction: "d" + attack,
	}
	text := strings.Join(New(&fakeFeed{}, time.Second, sampleAt(1)).details(p)[1:], "\n")
	if strings.ContainsAny(text, "\x1b\a\u009b") || !strings.Contains(text, `dual\x1b]8;;`) {
		t.Errorf("%q", text)
	}
}
