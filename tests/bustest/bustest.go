// Package bustest checks that an implementation of cluster.Bus keeps the promises of the interface.
package bustest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/supervisor/cluster"
)

// patience is the time for an event that must happen.
const patience = 20 * time.Second

// Checks are the checks by name. Each gets the buses of two members that can reach each other.
var Checks = map[string]func(t *testing.T, a, b cluster.Bus){
	"KeepsOrder": with(keepsOrder), "CallsOneAtATime": with(callsOneAtATime), "GivesBodiesAway": with(givesBodiesAway),
	"CarriesLargeBodies": with(carriesLargeBodies), "AnswersRequests": with(answersRequests),
	"ReportsNoResponders": with(reportsNoResponders), "EndsRequestsWithTheirContext": with(endsRequests),
	"KeepsSubscriptionsApart": with(keepsSubscriptionsApart), "EndsSubscriptions": with(endsSubscriptions),
}

func with(check func(*testing.T, *rig)) func(*testing.T, cluster.Bus, cluster.Bus) {
	return func(t *testing.T, a, b cluster.Bus) { check(t, &rig{t: t, a: a, b: b}) }
}

type rig struct {
	t     *testing.T
	a, b  cluster.Bus
	ready int // number of the last subject that shows a subscription
}

// subscribe subscribes and waits until the other bus knows it.
func (r *rig) subscribe(on, from cluster.Bus, subject string, handle func(cluster.Delivery)) (cancel func()) {
	r.t.Helper()
	cancel, err := on.Subscribe(subject, handle)
	if err != nil {
		r.t.Fatal(err)
	}
	r.ready++ // a subject of its own: the other bus would answer one of an earlier call itself
	ready := fmt.Sprint(subject, ".ready", r.ready)
	_, err = on.Subscribe(ready, func(d cluster.Delivery) { d.Respond(nil) })
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	for {
		_, err := from.Request(ctx, ready, nil)
		if err == nil {
			return cancel
		}
		if !errors.Is(err, cluster.ErrNoResponders) {
			r.t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func (r *rig) publish(from cluster.Bus, subject string, body []byte) {
	r.t.Helper()
	if err := from.Publish(subject, body); err != nil {
		r.t.Fatal(err)
	}
}

// wait waits for n signals.
func (r *rig) wait(signals <-chan struct{}, n int) {
	r.t.Helper()
	limit := time.After(patience)
	for i := range n {
		select {
		case <-signals:
		case <-limit:
			r.t.Fatalf("%d of %d deliveries arrived", i, n)
		}
	}
}

// keepsOrder: each subscriber receives the messages of each publisher in order, own ones included.
func keepsOrder(t *testing.T, r *rig) {
	const n = 2000
	done := make(chan struct{}, 4*n)
	var broken atomic.Bool // one report is enough
	handle := func(name string) func(cluster.Delivery) {
		next := map[byte]uint32{}
		return func(d cluster.Delivery) {
			from, number := d.Body[0], binary.BigEndian.Uint32(d.Body[1:])
			if number != next[from] && !broken.Swap(true) {
				t.Errorf("%s received message %d of %c, want %d", name, number, from, next[from])
			}
			next[from] = number + 1
			if d.Respond != nil && !broken.Swap(true) {
				t.Errorf("%s can respond to a published message", name)
			}
			done <- struct{}{}
		}
	}
	r.subscribe(r.a, r.b, "order", handle("a"))
	r.subscribe(r.b, r.a, "order", handle("b"))
	var group sync.WaitGroup
	for name, bus := range map[byte]cluster.Bus{'a': r.a, 'b': r.b} {
		group.Go(func() {
			for i := range uint32(n) {
				if err := bus.Publish("order", binary.BigEndian.AppendUint32([]byte{name}, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	r.wait(done, 4*n)
}

// callsOneAtATime: a subscription's handler is never called while it runs.
func callsOneAtATime(t *testing.T, r *rig) {
	const n = 100
	done := make(chan struct{}, n)
	var running atomic.Int32
	r.subscribe(r.b, r.a, "one", func(cluster.Delivery) {
		if running.Add(1) != 1 {
			t.Error("the handler is called while it runs")
		}
		time.Sleep(100 * time.Microsecond)
		running.Add(-1)
		done <- struct{}{}
	})
	for range n {
		r.publish(r.a, "one", nil)
	}
	r.wait(done, n)
}

// givesBodiesAway: a receiver may change the body of a message, and the publisher must not.
func givesBodiesAway(t *testing.T, r *rig) {
	done := make(chan struct{}, 20)
	for range 2 {
		r.subscribe(r.b, r.a, "body", func(d cluster.Delivery) {
			if string(d.Body) != "text" {
				t.Errorf("received %q", d.Body)
			}
			clear(d.Body)
			done <- struct{}{}
		})
	}
	for range 10 {
		r.publish(r.a, "body", []byte("text"))
	}
	r.wait(done, 20)
}

func carriesLargeBodies(t *testing.T, r *rig) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16-1024) // just below 1 MiB
	r.subscribe(r.b, r.a, "large", func(d cluster.Delivery) { d.Respond(d.Body) })
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	answer, err := r.a.Request(ctx, "large", body)
	if err != nil || !bytes.Equal(answer, body) {
		t.Errorf("answer of %d bytes, %v", len(answer), err)
	}
}

func answersRequests(t *testing.T, r *rig) {
	r.subscribe(r.b, r.a, "ask", func(d cluster.Delivery) { d.Respond(append([]byte("re:"), d.Body...)) })
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			question := strconv.Itoa(i)
			for _, bus := range []cluster.Bus{r.a, r.b} {
				if answer, err := bus.Request(ctx, "ask", []byte(question)); err != nil || string(answer) != "re:"+question {
					t.Errorf("answer %q to %s, %v", answer, question, err)
				}
			}
		})
	}
	group.Wait()
}

// reportsNoResponders: without a subscription a request ends before its context, and a message is lost without error.
func reportsNoResponders(t *testing.T, r *rig) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	if _, err := r.a.Request(ctx, "missing", []byte("x")); !errors.Is(err, cluster.ErrNoResponders) {
		t.Errorf("without a subscription: %v", err)
	}
	r.publish(r.a, "missing", []byte("x"))
}

func endsRequests(t *testing.T, r *rig) {
	asked := make(chan struct{}, 2)
	r.subscribe(r.b, r.a, "silent", func(cluster.Delivery) { asked <- struct{}{} })
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		<-asked
		stop()
	}()
	if _, err := r.a.Request(ctx, "silent", []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	ctx, stop = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer stop()
	if _, err := r.a.Request(ctx, "silent", []byte("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
}

// keepsSubscriptionsApart: a handler that waits delays its own subscription only.
func keepsSubscriptionsApart(t *testing.T, r *rig) {
	release, done := make(chan struct{}), make(chan struct{}, 11)
	r.subscribe(r.b, r.a, "blocked", func(cluster.Delivery) {
		<-release
		done <- struct{}{}
	})
	r.subscribe(r.b, r.a, "free", func(cluster.Delivery) { done <- struct{}{} })
	r.publish(r.a, "blocked", nil)
	for range 10 {
		r.publish(r.a, "free", nil)
	}
	r.wait(done, 10)
	close(release)
	r.wait(done, 1)
}

func endsSubscriptions(t *testing.T, r *rig) {
	done := make(chan struct{}, 2)
	cancel := r.subscribe(r.b, r.a, "ends", func(cluster.Delivery) { done <- struct{}{} })
	r.publish(r.a, "ends", nil)
	r.wait(done, 1)
	cancel()
	after := make(chan struct{}, 1)
	r.subscribe(r.b, r.a, "after", func(cluster.Delivery) { after <- struct{}{} })
	r.publish(r.a, "ends", nil)
	r.publish(r.a, "after", nil)
	r.wait(after, 1)
	select {
	case <-done:
		t.Error("a message arrived after cancel")
	default:
	}
}
