package supervisor

import (
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/wire"
)

// countedConn counts the writes of a node.
type countedConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c countedConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// TestBroadcastsTogetherTakeOneWrite requires broadcasts that wait for the broadcaster together to reach each peer in
// one write, in their order. One that comes alone does not wait.
func TestBroadcastsTogetherTakeOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(1)
		var writes atomic.Int64
		a := startNode(t, n, 1, func(s *nodeSetup) {
			s.cfg.Pacing = PacingOff
			s.options = []Option{WithConnWrapper(func(c net.Conn) net.Conn { return countedConn{c, &writes} })}
		})
		b := startNode(t, n, 2)
		a.dial(b)
		var sent []string
		pause := func(any) { time.Sleep(time.Millisecond) } // in the broadcaster: a writer that has started is done
		burst := func(size int) int64 {
			time.Sleep(time.Second) // for tokens
			gate, before := make(chan struct{}), writes.Load()
			root, pid := a.opts.system.Root, a.PID()
			root.Send(pid, &question{message: &Broadcast{Message: &wire.Message{}}, reply: func(any) { <-gate }})
			for range size {
				msg := a.to("", "news", nil)
				sent = append(sent, msg.ID)
				root.Send(pid, &question{message: &Broadcast{Message: msg}, reply: pause})
			}
			synctest.Wait()
			close(gate)
			time.Sleep(time.Second)
			return writes.Load() - before
		}
		for _, step := range []struct {
			size   int
			writes int64
		}{{1, 1}, {5, 2}, {5, 1}, {16, 1}, {33, 3}, {1, 1}, {1, 1}} { // the second step follows a lone one
			if got := burst(step.size); got != step.writes {
				t.Errorf("%d broadcasts: %d writes, want %d", step.size, got, step.writes)
			}
		}
		if got := b.got("news"); !slices.Equal(got, sent) {
			t.Errorf("%d of %d broadcasts arrived in order", len(got), len(sent))
		}
	})
}
