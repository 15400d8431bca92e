package hostile

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor"
	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestClockJumpsEndNoConnection lets the node's wall clock jump by hours, both ways. Timers do not depend on it: pings
// go out as before and no peer is closed as silent. Messages of the peers are stale, and the log has the clock
// difference.
func TestClockJumpsEndNoConnection(t *testing.T) {
	t.Parallel()
	var jump atomic.Int64
	n := nodetest.Start(t, nodetest.Options{
		Config: func(c *supervisor.TransportConfig) {
			c.PingInterval, c.PongTimeout = 300*time.Millisecond, time.Minute
		},
		Options: []supervisor.Option{supervisor.WithClock(func() time.Time {
			return time.Now().Add(time.Duration(jump.Load()))
		})},
	})
	h := join(n, refpeer.Options{})
	h.say("hello", nil)
	stale := 0
	for _, by := range []time.Duration{6 * time.Hour, -6 * time.Hour, 200 * 24 * time.Hour} {
		jump.Store(int64(by))
		_, err := h.Send("chat", n.ID(), "at the wrong time")
		must(t, err)
		stale++
		n.Poll("the message to be stale", func() bool { return n.Counter("messagesStale") == stale })
		for range 3 {
			h.next(refpeer.TypePing)
		}
		jump.Store(0)
		h.say("chat", "at the right time")
		h.requireOpen()
	}
	if got := n.Counter("peersTimedOut"); got != 0 {
		t.Errorf("peersTimedOut is %d, want 0", got)
	}
	text := n.Log.String()
	if !strings.Contains(text, "difference=6h0m0s") && !strings.Contains(text, "difference=5h59m") {
		t.Errorf("the log does not say by how much the clocks differ:\n%s", text)
	}
}
