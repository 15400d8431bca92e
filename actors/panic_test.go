package actors

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/tests/sockettest"
	"github.com/Snider/go-p2p/wire"
)

// panicked checks the state after a panic of a connection's actor: the slot is free and the socket closed. The end of
// newRig proves that no goroutine is left.
func (r *rig) panicked(p *remote) {
	r.t.Helper()
	synctest.Wait()
	r.parent.mu.Lock()
	faults, gone := r.parent.faults, r.parent.stopped
	r.parent.mu.Unlock()
	if faults != 1 || gone != 1 {
		r.t.Errorf("%d faults and %d actors gone, want 1 and 1", faults, gone)
	}
	if p != nil {
		if p.codec == nil {
			if _, _, err := p.ws.Read(context.Background()); err == nil {
				r.t.Error("the socket is open")
			}
		}
		p.pump.Wait() // ends when the socket is closed
	}
	select {
	case <-r.slot.handle.Done():
	default:
		r.t.Error("the handle is not done")
	}
	if err := r.post("after", 1); err != ErrClosed {
		r.t.Errorf("a message afterwards: %v, want ErrClosed", err)
	}
}

// panicWhen makes the node's clock panic once it is armed: the connection reads it in every phase.
func panicWhen(r *rig) *atomic.Bool {
	var armed atomic.Bool
	r.node.Wall = func() time.Time {
		if armed.CompareAndSwap(true, false) {
			panic("clock: injected")
		}
		return time.Now()
	}
	return &armed
}

func TestPanicInHandshakeFreesSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.connect()
		r.random.panics = true
		p.sayPlain(encodeLogin(t, wire.MsgHandshake, goodHandshake(p.keys)))
		r.panicked(p)
	})
}

func TestPanicBeforeSocketFreesSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		armed := panicWhen(r)
		r.awaitDial(func(p *remote, _ wire.HandshakePayload) { t.Error("dialled in spite of a panic") })
		armed.Store(true)
		r.dialHere("") // the handshake has a timestamp
		synctest.Wait()
		r.panicked(nil)
	})
}

func TestPanicWhenOpenFreesSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		r.dedup.hook = func(*wire.Message) { panic("dedup: injected") }
		p.send("stats", nil)
		r.panicked(p)
		if n := len(reportsOf[*Ended](r)); n != 0 {
			t.Errorf("%d reports of an end from an actor that panicked", n)
		}
	})
}

// The actor panics while the writer writes and a caller waits for a message.
func TestPanicWhileWritingFailsSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		r.stallWriter()
		result := make(chan error, 1)
		msg := p.message("stats", nil)
		go func() { result <- r.slot.handle.Send(context.Background(), msg) }()
		synctest.Wait()
		r.dedup.hook = func(*wire.Message) { panic("dedup: injected") }
		p.send("stats", nil)
		synctest.Wait()
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		r.panicked(p)
		if err := <-result; !errors.Is(err, ErrClosed) {
			t.Errorf("the waiting Send: %v, want ErrClosed", err)
		}
	})
}

// The actor panics while the budget holds the reader back.
func TestPanicWhileHeldBackFreesSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, unlimited, func(l *Limits) { l.InboundBytes = 4000 })
		release := make(chan struct{})
		p := r.openVerified()
		armed := panicWhen(r)
		r.sink.hook = func(*wire.Message) { <-release }
		for range 20 {
			p.send("stats", nil)
		}
		synctest.Wait()
		armed.Store(true)
		r.tell(&Probe{})
		r.panicked(p)
		close(release)
	})
}

func TestPanicWhenClosingFreesSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		r.stallWriter()
		synctest.Wait()
		r.slot.handle.Close(wire.DisconnectNormal, "bye")
		synctest.Wait()
		r.tell((*frameBatch)(nil)) // never nil
		synctest.Wait()
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		r.panicked(p)
	})
}

// A panic in the Stopping handler would restart the actor. Here Close of the network connection panics.
func TestPanicWhenStoppingFreesSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := r.openVerified()
		r.stallWriter()
		result := make(chan error, 1)
		msg := p.message("stats", nil)
		go func() { result <- r.slot.handle.Send(context.Background(), msg) }()
		synctest.Wait()
		r.ln.Conn().PanicOnClose.Store(true)
		r.node.System.Root.Stop(r.slot.handle.pid)
		if !r.stopped() {
			t.Error("the actor lives")
		}
		r.Resume(sockettest.HereIP, sockettest.ThereIP)
		p.pump.Wait()
		select {
		case err := <-result:
			if !errors.Is(err, ErrClosed) {
				t.Errorf("the waiting Send: %v, want ErrClosed", err)
			}
		case <-time.After(time.Minute):
			t.Error("the waiting Send hangs")
		}
		select {
		case <-r.slot.handle.Done():
		default:
			t.Error("the handle is not done: a Send in the actor's mailbox would hang")
		}
		if err := r.post("after", 1); err != ErrClosed {
			t.Errorf("a message afterwards: %v, want ErrClosed", err)
		}
	})
}
