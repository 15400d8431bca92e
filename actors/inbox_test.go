package actors

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/Snider/go-p2p/wire"
)

// record is a Sink that records its calls and runs a hook for each message.
type record struct {
	mu     sync.Mutex
	noted  []string
	hook   func(*wire.Message)
	noting func(*wire.Message) string
}

func (r *record) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noted = append(r.noted, text)
}

func (r *record) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.noted)
}

func (r *record) Do(event any) {
	if d, ok := event.(*Dropped); ok {
		r.note(fmt.Sprint("dropped ", d.Count))
		return
	}
	r.note(fmt.Sprint("event ", event))
}

// drops returns the sum of all Dropped events.
func (r *record) drops() (sum int) {
	for _, text := range r.all() {
		var count int
		if _, err := fmt.Sscanf(text, "dropped %d", &count); err == nil {
			sum += count
		}
	}
	return sum
}

func (r *record) Message(msg *wire.Message) {
	if r.noting != nil {
		r.note(r.noting(msg))
	} else {
		r.note(msg.ID)
	}
	if r.hook != nil {
		r.hook(msg)
	}
}

func newTestInbox(sink Sink) (*Inbox, *Counters) {
	counters := &Counters{}
	return NewInbox(sink, counters, NewLimitedLogger(slog.New(slog.NewTextHandler(io.Discard, nil))), &Activity{}),
		counters
}

func TestInboxKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &record{}
		d, _ := newTestInbox(sink)
		var want []string
		for i := range 1000 {
			if i%10 == 0 {
				d.Event(i)
				want = append(want, fmt.Sprint("event ", i))
				continue
			}
			d.message(&wire.Message{ID: fmt.Sprint(i)}, nil, 0)
			want = append(want, fmt.Sprint(i))
		}
		synctest.Wait()
		if got := sink.all(); !slices.Equal(got, want) {
			t.Errorf("delivered %v", got)
		}
	})
}

// Held items are delivered in order after the release, together with later ones.
func TestInboxHoldDelaysDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &record{}
		d, _ := newTestInbox(sink)
		release := d.Hold()
		d.Event("up")
		d.message(&wire.Message{ID: "first"}, nil, 0)
		synctest.Wait()
		if got := sink.all(); len(got) != 0 || d.claim(d) {
			t.Errorf("delivered while it is held: %q", got)
		}
		release()
		synctest.Wait()
		d.message(&wire.Message{ID: "second"}, nil, 0)
		synctest.Wait()
		if got := sink.all(); !slices.Equal(got, []string{"event up", "first", "second"}) {
			t.Errorf("delivered %q", got)
		}
	})
}

func TestInboxBlockedHandlerHoldsItsBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		sink := &record{hook: func(*wire.Message) { <-release }}
		d, _ := newTestInbox(sink)
		held := newBudget(1000, nil, nil)
		for i := range 3 {
			held.take(40)
			d.message(&wire.Message{ID: fmt.Sprint(i)}, held, held.open(40))
		}
		synctest.Wait()
		if got := sink.all(); len(got) != 1 || !held.full() {
			t.Errorf("%v delivered, full %v; want one and full", got, held.full())
		}
		release <- struct{}{}
		synctest.Wait()
		if !held.full() || held.used.Load() != 2*costOf(40) {
			t.Errorf("%d bytes held after one of three, want two frames", held.used.Load())
		}
		close(release)
		synctest.Wait()
		if got := strings.Join(sink.all(), " "); got != "0 1 2" || held.used.Load() != 0 {
			t.Errorf("delivered %q, %d bytes held; want all and none", got, held.used.Load())
		}
	})
}

func TestInboxPanicIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &record{}
		sink.hook = func(m *wire.Message) {
			if m.ID == "bad" {
				panic("injected")
			}
		}
		d, counters := newTestInbox(sink)
		held := newBudget(100, nil, nil)
		for _, id := range []string{"a", "bad", "b", "bad", "c"} {
			held.take(10)
			d.message(&wire.Message{ID: id}, held, held.open(10))
		}
		synctest.Wait()
		if got := strings.Join(sink.all(), " "); got != "a bad b bad c" {
			t.Errorf("delivered %q", got)
		}
		if n := counters.Get(HandlerPanics); n != 2 || held.used.Load() != 0 {
			t.Errorf("%d panics counted, %d bytes held; want 2 and none", n, held.used.Load())
		}
	})
}

// An idle queue has no goroutine: otherwise the bubble would not end, and goleak would report it.
func TestInboxKeepsOrderOfEachSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &record{}
		d, _ := newTestInbox(sink)
		var senders sync.WaitGroup
		for s := range 8 {
			senders.Go(func() {
				for i := range 200 {
					d.Event(fmt.Sprintf("%d %03d", s, i))
				}
			})
		}
		senders.Wait()
		synctest.Wait()
		got := sink.all()
		if len(got) != 1600 {
			t.Fatalf("%d delivered, want 1600", len(got))
		}
		slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(a[:7], b[:7]) })
		if !slices.IsSorted(got) {
			t.Error("one sender's events were delivered out of order")
		}
	})
}

func TestBudgetBlocksAtLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(2000+frameOverhead, nil, nil)
		b.take(1999)
		if !b.wait() || b.full() {
			t.Error("1999 of 2000: full")
		}
		b.take(5000) // one message more than the limit fits
		if !b.full() {
			t.Error("6999 of 2000: not full")
		}
		var waited []bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 3 {
				waited = append(waited, b.wait())
			}
		}()
		synctest.Wait()
		b.give(costOf(4999))
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("wait returned with nothing free")
		default:
		}
		b.give(costOf(0))
		<-done
		if !slices.Equal(waited, []bool{true, true, true}) {
			t.Errorf("waited %v", waited)
		}
		b.close()
		if b.wait() {
			t.Error("a closed budget grants bytes")
		}
	})
}

func TestBudgetCloseWakesReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(1, nil, nil)
		b.take(1)
		result := make(chan bool, 1)
		go func() { result <- b.wait() }()
		synctest.Wait()
		b.close()
		if <-result {
			t.Error("wait granted bytes of a closed budget")
		}
	})
}

// The batch of as many small messages as the default budget holds, and of as many as a queue holds by default, is used
// again: to grow a new one each time costs more than the deliveries.
func TestBatchOfAFullBudgetIsReused(t *testing.T) {
	const most = 2 << 20 / messageOverhead
	reused := false
	for range 20 { // a pool may lose items, and does so with the race detector
		var b *batch[deliverable]
		for range most {
			b = deliverables.append(b, deliverable{})
		}
		first := &b.items[0]
		deliverables.put(b)
		b = deliverables.append(nil, deliverable{})
		reused = reused || first == &b.items[0]
	}
	if !reused {
		t.Errorf("the batch of %d messages was never used again", most)
	}
}
