//go:build unix

package blackbox

import (
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestFreezeEndsNoSession stops the node for longer than its timeouts. One session waits for the first record of its
// peer, which arrives meanwhile. Another one has records above its rate in the socket, which wait for tokens. Each
// message is delivered.
func TestFreezeEndsNoSession(t *testing.T) {
	t.Parallel()
	n := start(t, "--ping-interval", "1s", "--pong-timeout", "1s", "--handshake-timeout", "2s",
		"--rate-burst", "10", "--rate-refill", "20")
	open := func(o refpeer.SessionOptions) *refpeer.Conn {
		c, err := refpeer.Dial(withTimeout(t), n.URL(), refpeer.Options{
			Identity: identity(t, "reference"), Session: &o, Pong: !o.Manual, // a pong is no first record
		})
		if err != nil {
			n.Fatalf("no session: %v", err)
		}
		t.Cleanup(c.Close)
		return c
	}
	say := func(c *refpeer.Conn, typ string) {
		if _, err := c.Send(typ, n.ID(), map[string]any{}); err != nil {
			t.Error(err)
		}
	}
	proven, late := open(refpeer.SessionOptions{}), open(refpeer.SessionOptions{Manual: true})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		n.freeze(5 * time.Second)
	}()
	const backlog = 40
	for range backlog {
		time.Sleep(50 * time.Millisecond)
		say(proven, "chat")
	}
	if err := proven.Rekey(); err != nil {
		t.Error(err)
	}
	say(proven, "last")
	say(late, "ping")
	say(late, "hello")
	<-ended
	n.AwaitStatus("the messages", func(nodetest.Status) bool {
		return len(n.Messages("last")) == 1 && len(n.Messages("hello")) == 1
	})
	s := n.Status()
	if got := len(n.Messages("chat")); got != backlog || s.Counters["messagesRateLimited"] != 0 {
		t.Errorf("%d of %d messages arrived, %v dropped", got, backlog, s.Counters["messagesRateLimited"])
	}
	if proven.Err() != nil {
		t.Errorf("the session ended: %v", proven.Err())
	}
}
