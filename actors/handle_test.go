package actors

import (
	"runtime"
	"testing"
	"time"
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
