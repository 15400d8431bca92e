package actors

import (
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// Programs keep handles. One of an ended connection keeps neither its socket nor its actor, which has the keys.
func TestHandleKeepsNothingAlive(t *testing.T) {
	node := &Node{Keys: newKeys(t, "here"), Limits: defaultLimits()}
	freed := make(chan string, 2)
	handle := func() *Handle {
		p, socket := newPeer(node, nil, Opening{}), &Socket{remote: "there"}
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
		case <-time.After(2 * time.Second):
			t.Fatal("the handle keeps its connection's actor or socket")
		}
	}
	if err := handle.outbox.reserve(1); err != ErrClosed {
		t.Errorf("reserve: %v", err)
	}
}

// What has been posted or sent is copied by then: the same message can be made the next one at once.
func TestPostedMessagesCanBeRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, unlimited)
		p := r.openProven()
		r.Stall(hereIP, thereIP)
		msg := p.message("stats", 0)
		var want []string
		for i := range 100 {
			if err := msg.Renew(i); err != nil {
				t.Fatal(err)
			}
			if err := r.slot.handle.PostMessage(msg); err != nil {
				t.Fatal(err)
			}
			want = append(want, msg.ID)
		}
		r.Resume(hereIP, thereIP)
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
