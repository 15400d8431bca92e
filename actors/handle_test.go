package actors

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/tests/memnet"
	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// Programs keep handles. The handle of an ended connection keeps neither the socket nor the actor, which has the keys,
// alive.
func TestHandleKeepsNothingAlive(t *testing.T) {
	node := &Node{Keys: newKeys(t, "here"), Limits: defaultLimits()}
	freed := make(chan string, 2)
	handle := func() *Handle {
		p, socket := newConnection(node, nil, Opening{}), &socket.Conn{}
		runtime.AddCleanup(p, func(what string) { freed <- what }, "actor")
		runtime.AddCleanup(socket, func(what string) { freed <- what }, "socket")
		p.handle.outbox.attach(socket)
		p.handle.outbox.close(ErrClosed)
		return p.handle
	}()
	for range cap(freed) {
		runtime.GC()
		select {
		case <-freed:
		case <-time.After(time.Minute):
			t.Fatal("the handle keeps its connection's actor or socket")
		}
	}
	if err := handle.outbox.post(&frame{}, 1); err != ErrClosed {
		t.Errorf("post: %v", err)
	}
}

// A posted message is copied, also if its sender has stopped waiting: the same Message can be renewed at once.
func TestPostedMessagesCanBeRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, unlimited, func(l *Limits) { l.PaceOff = true })
		p := r.openVerified()
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		fill := strings.Repeat("x", memnet.Capacity) // the writer is blocked inside this one, so that no Send succeeds
		if err := r.slot.handle.Post(p.message("logs", fill)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		msg := p.message("stats", 0)
		var want []string
		for i := range 100 {
			if err := msg.Renew(i); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				if err := r.slot.handle.Post(msg); err != nil {
					t.Fatal(err)
				}
			} else if err := r.slot.handle.Send(gone, msg); err != nil && err != context.Canceled { // nil: the writer was faster
				t.Fatal(err)
			}
			want = append(want, msg.ID)
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		synctest.Wait()
		var got []string
		for i, m := range p.got(wire.MessageType("stats")) {
			var n int
			if err := m.ParsePayload(&n); err != nil || n != i {
				t.Errorf("message %d has payload %s (%v)", i, m.Payload, err)
			}
			got = append(got, m.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %d messages, want the %d that were posted, in order", len(got), len(want))
		}
	})
}

// The result of a Send whose caller has stopped waiting does not reach another Send.
func TestSendEndedByContextLeavesNoResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, unlimited)
		p := r.openVerified()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 100 {
			err := r.slot.handle.Send(gone, p.message("stats", nil))
			if err != nil && err != context.Canceled { // nil: the answer was as quick
				t.Fatal(err)
			}
		}
		r.Stall(sockettest.HereIP, sockettest.ThereIP)
		fill := strings.Repeat("x", memnet.Capacity)
		if err := r.slot.handle.Post(p.message("stats", fill)); err != nil {
			t.Fatal(err)
		}
		late, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.slot.handle.Send(late, p.message("stats", nil)); err != context.DeadlineExceeded {
			t.Errorf("a Send into a path that is full: %v, want to have waited in vain", err)
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
	})
}

// A recycled frame keeps no state.
func TestRecycledFramesAreEmpty(t *testing.T) {
	var b buffers
	for range 100 { // a pool may lose items, and often does so with the race detector
		b.put(&frame{
			data: make([]byte, 10, 2000), charged: 7, own: true, result: make(resultChan), closeWith: &socket.CloseStatus{},
			text: true,
		})
		f := b.get(0)
		if len(f.data) != 0 || f.charged != 0 || f.own || f.result != nil || f.closeWith != nil || f.text {
			t.Fatalf("a recycled frame: %+v", *f)
		}
	}
}

// An actor system logs undelivered messages: their text must not appear.
func TestMessagesAreNotLogged(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	log.Info("dead letter", "message", &frameBatch{buffers: [][]byte{[]byte("secret")}, n: 1})
	if text := out.String(); strings.Count(text, "dead letter") != 1 || strings.Contains(text, "secret") ||
		strings.Contains(text, "115 101") {
		t.Errorf("logged:\n%s", text)
	}
}
