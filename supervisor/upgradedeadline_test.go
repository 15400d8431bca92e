package supervisor

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors"
	"github.com/Snider/go-p2p/supervisor/accept"
)

// closeTimes is a connection that records when it is closed.
type closeTimes struct {
	net.Conn
	closed []time.Time
}

func (c *closeTimes) Close() error {
	c.closed = append(c.closed, time.Now())
	return nil
}

// Each connection is closed once, at its deadline or at the next sweep, at most sweepPause later. An upgraded one is
// not closed, and a request that waits for a slot gets nil.
func TestUpgradeDeadlinesCloseInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 10 * time.Second
		start := time.Now()
		l := &listener{
			live: &atomic.Pointer[TransportConfig]{}, node: &actors.Node{},
			waiting: accept.NewWaiting[net.Conn](), deadlines: make(map[net.Conn]upgradeDeadline),
		}
		configure := func(timeout time.Duration) { l.live.Store(&TransportConfig{HandshakeTimeout: timeout}) }
		accepted := func() *closeTimes {
			l.mu.Lock()
			defer l.mu.Unlock()
			c := &closeTimes{}
			l.startDeadline(c)
			return c
		}
		configure(timeout)
		first, upgraded := accepted(), accepted()
		answers := make(chan *actors.Slot, 2)
		if !l.awaitUntilDeadline(first, answers) {
			t.Error("the deadline has passed at once")
		}
		l.forget(upgraded)
		time.Sleep(30 * time.Millisecond)
		soonAfter := accepted()
		time.Sleep(5*time.Second - 30*time.Millisecond)
		late := accepted()
		configure(time.Second) // its deadline is before all others
		short := accepted()
		configure(timeout)
		last := accepted()
		time.Sleep(time.Minute)
		synctest.Wait()
		for name, c := range map[string]struct {
			conn *closeTimes
			want string
		}{
			"first": {first, "[10s]"}, "soon after": {soonAfter, "[10.1s]"}, "late": {late, "[15s]"},
			"short": {short, "[6s]"}, "upgraded": {upgraded, "[]"}, "last": {last, "[15s]"},
		} {
			var at []time.Duration
			for _, closed := range c.conn.closed {
				at = append(at, closed.Sub(start))
			}
			if fmt.Sprint(at) != c.want {
				t.Errorf("%s: closed at %v, want %s", name, at, c.want)
			}
		}
		if len(answers) != 1 || <-answers != nil {
			t.Error("the request got no nil")
		}
		if len(l.deadlines) != 0 || !l.nextSweep.IsZero() || l.awaitUntilDeadline(first, answers) {
			t.Errorf("%d deadlines remain, the next sweep is at %v", len(l.deadlines), l.nextSweep)
		}
	})
}
