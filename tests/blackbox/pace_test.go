package blackbox

import (
	"strconv"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestSendInALoopLosesNothing sends 300 messages from a script, 8 commands at a time, to a node with the default
// limits: faster than its limit. Each arrives.
func TestSendInALoopLosesNothing(t *testing.T) {
	t.Parallel()
	const count, workers = 300, 8
	to, from := pair(t)
	var sending sync.WaitGroup
	for w := range workers {
		sending.Go(func() {
			for i := w; i < count; i += workers {
				if r := from.run("send", to.ID(), strconv.Itoa(i), "--type", "loop"); r.code != 0 {
					t.Errorf("message %d: exit %d, %s", i, r.code, r.stderr)
				}
			}
		})
	}
	sending.Wait()
	s := to.AwaitStatus("300 messages", func(s nodetest.Status) bool { return len(to.Messages("loop")) == count })
	if got := s.Counters["messagesRateLimited"]; got != 0 {
		t.Errorf("messagesRateLimited is %v, want 0", got)
	}
	if got := from.Status().Counters["messagesOverPeerRate"]; got != 0 {
		t.Errorf("messagesOverPeerRate is %v, want 0", got)
	}
}

// TestPaceOffCountsDroppedMessages sends all lines of standard input at once and counts those that the receiver drops.
// Without sessions: there a record that finds no token waits.
func TestPaceOffCountsDroppedMessages(t *testing.T) {
	t.Parallel()
	to := start(t, "--rate-burst", "50", "--rate-refill", "0.001")
	from := start(t, "--stdin", "--pace", "off", "--session", "off", "--peer", to.Address())
	meet(to, from)
	from.WriteLines(numbered(300, 1, to.ID())...)
	over := 0
	to.AwaitStatus("the messages that the sender counts as over the rate", func(s nodetest.Status) bool {
		over = int(from.Status().Counters["messagesOverPeerRate"])
		return over >= 250 && int(s.Counters["messagesRateLimited"]) == over
	})
	if over > 254 { // the pings and pongs of the opening take up to 4 of the 50 tokens
		t.Errorf("messagesOverPeerRate is %d, want 250 and the pings and pongs", over)
	}
}
