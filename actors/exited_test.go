package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/wire"
)

// A handler that ends its goroutine loses only the current message, whether the queue or a worker runs it.
func TestInboxContinuesAfterGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &record{}
		sink.hook = func(m *wire.Message) {
			if strings.HasPrefix(m.ID, "exit") {
				runtime.Goexit()
			}
		}
		activity := &Activity{Workers: NewWorkers(2)}
		defer activity.Workers.Close()
		d, counters := newTestInbox(sink)
		d.activity = activity
		held := newBudget(1000, nil, nil)
		release := d.Hold()
		for _, id := range []string{"exit 1", "a", "exit 2", "exit 3", "b"} {
			held.take(10)
			d.message(&wire.Message{ID: id}, held, held.open(10))
		}
		release()
		synctest.Wait()
		held.take(10)
		d.message(&wire.Message{ID: "c"}, held, held.open(10))
		<-activity.Idle()
		synctest.Wait()
		if got := strings.Join(sink.all(), ", "); got != "exit 1, a, exit 2, exit 3, b, c" {
			t.Errorf("delivered %q", got)
		}
		if n := counters.Get(HandlerPanics); n != 3 || held.used.Load() != 0 || activity.Workers.working != 0 {
			t.Errorf("%d counted, %d bytes held, %d goroutines counted; want 3, 0 and 0", n, held.used.Load(),
				activity.Workers.working)
		}
	})
}

// Jobs that end their goroutines free their places: as many jobs as before run at once.
func TestWorkersSurviveGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorkers(2)
		defer w.Close()
		w.maxWorking = 3
		activity := &Activity{Workers: w}
		for range 20 {
			activity.Go(runtime.Goexit)
		}
		<-activity.Idle()
		synctest.Wait()
		var at, most atomic.Int64
		began := time.Now()
		gate := make(chan struct{})
		for range 3 {
			activity.Go(func() { most.Store(max(most.Load(), at.Add(1))); <-gate })
		}
		synctest.Wait()
		if most.Load() != 3 || time.Since(began) != 0 {
			t.Errorf("%d jobs at a time after %v, want 3 at once", most.Load(), time.Since(began))
		}
		close(gate)
		synctest.Wait()
		if w.working != 0 {
			t.Errorf("%d goroutines are counted, want 0", w.working)
		}
	})
}

// A mailbox run that ends its goroutine is started again, once. Otherwise the actor would receive no more messages.
func TestWorkersRestartMailboxRunAfterGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorkers(2)
		defer w.Close()
		var mu sync.Mutex
		turns := 0
		w.Schedule(func() {
			mu.Lock()
			turns++
			first := turns == 1
			mu.Unlock()
			if first {
				runtime.Goexit()
			}
		})
		synctest.Wait()
		if turns != 2 {
			t.Errorf("%d turns, want 2", turns)
		}
	})
}

// goexitWhen is panicWhen for runtime.Goexit.
func goexitWhen(r *rig) *atomic.Bool {
	var armed atomic.Bool
	r.node.Wall = func() time.Time {
		if armed.CompareAndSwap(true, false) {
			runtime.Goexit()
		}
		return time.Now()
	}
	return &armed
}

// A clock that ends the actor's goroutine closes its connection, like a panic.
func TestGoexitInActorEndsConnection(t *testing.T) {
	for _, state := range []string{"handshake", "open", "writing"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			armed := goexitWhen(r)
			var p *remote
			if state == "handshake" {
				p = r.connect()
				armed.Store(true)
				p.sayPlain(encodeLogin(t, wire.MsgHandshake, goodHandshake(p.keys)))
			} else {
				p = r.openVerified()
				if state == "writing" {
					_ = r.post("big", 200_000)
				}
				armed.Store(true)
				p.send("stats", nil)
			}
			r.panicked(p)
		})
	}
}

// exiting is an Observer that ends the goroutine in each call.
type exiting struct{ calls atomic.Int64 }

func (e *exiting) RoundTrip(time.Duration) { e.exit() }
func (e *exiting) Handshake(time.Duration) { e.exit() }
func (e *exiting) Handler(time.Duration)   {}

func (e *exiting) exit() {
	e.calls.Add(1)
	runtime.Goexit()
}

// An observer that ends the goroutine costs no connection and no message.
func TestObserverGoexitCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		observer := &exiting{}
		r.node.Observer = observer
		p := r.openVerified()
		for i := range 5 {
			p.send("stats", i)
		}
		if got := len(r.delivered("stats")); got != 5 {
			t.Errorf("%d of 5 delivered", got)
		}
		if n := uint64(observer.calls.Load()); n == 0 || r.node.Counters.Get(HandlerPanics) != n || r.stopped() {
			t.Errorf("%d calls, %d counted, stopped %v", n, r.node.Counters.Get(HandlerPanics), r.stopped())
		}
	})
}

// A network connection that ends its caller's goroutine is closed: its senders get an error and its slot is free.
func TestGoexitInSocketEndsConnection(t *testing.T) {
	for _, where := range []string{"read", "write"} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			p := r.openVerified()
			conn := r.ln.Conn()
			result := make(chan error, 1)
			msg := p.message("stats", nil)
			if where == "write" {
				conn.ExitOnWrite.Store(true)
				go func() { result <- r.slot.handle.Send(context.Background(), msg) }()
			} else {
				p.send("stats", nil) // the reader waits inside Read: the next one ends it
				conn.ExitOnRead.Store(true)
				p.send("stats", nil)
				result <- fmt.Errorf("no message: %w", errExited)
			}
			synctest.Wait()
			if err := <-result; !errors.Is(err, errExited) {
				t.Errorf("%s: the sender got %v", where, err)
			}
			if where == "write" {
				time.Sleep(5 * time.Second)
			}
			if !r.stopped() { // before the next ping, which would find the socket closed
				t.Errorf("%s: the actor lives", where)
			}
			p.pump.Wait()
			if err := r.post("after", 1); err != ErrClosed {
				t.Errorf("%s: a message afterwards: %v, want ErrClosed", where, err)
			}
		})
	}
}
