package blackbox

import (
	"fmt"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestFortyHandshakesSucceed opens 40 connections, one after the other, and requires each to be verified. On 32-bit
// platforms protoactor's process registry panics for half of the actors of connections unless the node corrects it.
func TestFortyHandshakesSucceed(t *testing.T) {
	const peers = 40
	n := start(t)
	for i := range peers {
		dialed(n, refpeer.Options{Identity: identity(t, fmt.Sprint("peer-", i))}).prove()
	}
	s := n.Status()
	if s.Connections.Established != peers || s.Counters["handshakesAccepted"] != peers {
		t.Errorf("%d connections and %v handshakes, want %d", s.Connections.Established, s.Counters["handshakesAccepted"],
			peers)
	}
	for _, name := range []string{"handshakesRejected", "actorRestarts"} {
		if s.Counters[name] != 0 {
			t.Errorf("%s is %v, want 0", name, s.Counters[name])
		}
	}
}
