package actors

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// stuck blocks the actor inside a mailbox run at the n-th message that it has opened.
func (r *rig) stuck(n int) (release func()) {
	gate := make(chan struct{})
	r.dedup.hook = func(*wire.Message) {
		if n--; n == 0 {
			<-gate
		}
	}
	return func() { close(gate) }
}

// Pending work of a long mailbox run is not kept until its end: a flooding peer would wait for its own pong.
func TestLongMailboxRunFlushes(t *testing.T) {
	for name, c := range map[string]struct{ fill, size int }{
		"many messages": {flushEvery, 10},
		"many bytes":    {4, flushAt / 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, unlimited)
				p := r.openVerified()
				release := r.stuck(1)
				p.send("first", nil) // blocks the mailbox run until all other messages have arrived
				synctest.Wait()
				ping := p.send(wire.MsgPing, wire.PingPayload{})
				for range c.fill {
					p.send("stats", strings.Repeat("x", c.size))
				}
				next := r.stuck(1 + c.fill)
				synctest.Wait()
				release()
				if got := len(r.delivered("stats")); got == 0 {
					t.Error("nothing was delivered before the end of the turn")
				}
				if c.fill == flushEvery {
					if got := p.got(wire.MsgPong); len(got) != 1 || got[0].ReplyTo != ping.ID {
						t.Errorf("%d pongs before the end of the turn, want 1", len(got))
					}
				}
				next()
				if got := len(r.delivered("stats")); got != c.fill {
					t.Errorf("%d delivered, want %d", got, c.fill)
				}
			})
		})
	}
}

// A mailbox run leaves a pong and a message for a handler that never returns. This pong and the next one are sent.
func TestBlockedHandlerBlocksNoWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, unlimited)
		p := r.openVerified()
		gate := make(chan struct{})
		r.sink.mu.Lock()
		r.sink.hook = func(*wire.Message) { <-gate }
		r.sink.mu.Unlock()
		for n := range 3 {
			p.send(wire.MsgPing, wire.PingPayload{})
			if got := len(p.got(wire.MsgPong)); got != n+1 {
				t.Errorf("%d pongs for %d pings", got, n+1)
			}
		}
		close(gate)
		if got := len(r.delivered(wire.MsgPing)); got != 3 {
			t.Errorf("%d pings delivered, want 3", got)
		}
	})
}

// A peer that reads nothing blocks its own writer only: its messages are delivered.
func TestBlockedWriteBlocksNoDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, unlimited)
		p := r.openVerified()
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		const size = 50 << 10 // less than the writer's threshold inside a mailbox run
		post := func() {
			if err := r.slot.handle.Post(p.message("answer", strings.Repeat("x", size))); err != nil {
				t.Error(err)
			}
		}
		fitting := memnet.Capacity / (size + 1024)
		for range fitting {
			post()
			synctest.Wait()
		}
		release := r.stuck(1)
		p.send("question", nil) // one mailbox run: this, the answer that fills the path, another question
		synctest.Wait()
		post()
		p.send("question", nil)
		synctest.Wait()
		release()
		if got := len(r.delivered("question")); got != 2 {
			t.Errorf("%d questions delivered while nothing can be written, want 2", got)
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		if got := len(p.got("answer")); got != fitting+1 {
			t.Errorf("%d answers, want %d", got, fitting+1)
		}
	})
}
