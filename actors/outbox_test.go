package actors

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Snider/go-p2p/actors/socket"
	"github.com/Snider/go-p2p/tests/sockettest"
)

// boxed is an outbox whose writer runs only when the test drives it, unless it has a socket.
type boxed struct {
	*outbox
	counters Counters

	mu      sync.Mutex
	started []func()
	reports []error
	atOnce  bool // writers run side by side with the test
}

// startWriter implements outboxHost.
func (b *boxed) startWriter(run func()) {
	if b.atOnce {
		go run()
		return
	}
	b.started = append(b.started, run)
}

// writeFailed implements outboxHost.
func (b *boxed) writeFailed(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reports = append(b.reports, err)
}

func newBoxed(messages, bytes int) *boxed {
	b := &boxed{}
	node := &Node{Limits: Limits{QueueMessages: messages, QueueBytes: bytes}, Counters: &b.counters}
	b.outbox = &outbox{node: node, host: b, codec: plainCodec{}}
	return b
}

// plainCodec sends frames as they are.
type plainCodec struct{ codec }

func (plainCodec) send(to frameSink, frames []*frame) (n, size int, err error) {
	return 1, len(frames[0].data), to.Write(frames[0].data, false)
}

// onSocket attaches a socket and runs the writer concurrently.
func (b *boxed) onSocket(s *socket.Conn) {
	b.attach(s)
	b.atOnce = true
}

func (b *boxed) put(t *testing.T, size int) <-chan error {
	t.Helper()
	result := make(resultChan, 1)
	if err := b.post(&frame{data: make([]byte, size), result: result}, size); err != nil {
		t.Fatal(err)
	}
	return result
}

// reported returns the errors that the outbox has reported to its actor.
func (b *boxed) reported() []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.reports)
}

func (b *boxed) wantDepth(t *testing.T, messages, bytes int) {
	t.Helper()
	if m, n := b.depth(); m != messages || n != bytes {
		t.Errorf("%d messages and %d bytes wait, want %d and %d", m, n, messages, bytes)
	}
}

func TestOutboxEnforcesLimits(t *testing.T) {
	cases := []struct {
		name            string
		messages, bytes int
		sizes           []int
		want            []error
	}{
		{"messages", 3, 1000, []int{1, 1, 1, 1}, []error{nil, nil, nil, ErrQueueFull}},
		{"bytes exactly", 10, 100, []int{60, 40, 1}, []error{nil, nil, ErrQueueFull}},
		{"bytes over", 10, 100, []int{60, 41, 40}, []error{nil, ErrQueueFull, nil}},
		{"one larger than the limit fits alone", 10, 100, []int{5000, 1}, []error{nil, ErrQueueFull}},
	}
	for _, c := range cases {
		b := newBoxed(c.messages, c.bytes)
		for i, size := range c.sizes {
			if err := b.post(&frame{}, size); err != c.want[i] {
				t.Errorf("%s: message %d of %d bytes: %v, want %v", c.name, i, size, err, c.want[i])
			}
		}
	}
}

func TestOutboxCountsQueuedMessages(t *testing.T) {
	b := newBoxed(2, 100)
	first := b.put(t, 30)
	second := b.put(t, 50)
	b.wantDepth(t, 2, 80)
	if err := b.post(&frame{}, 1); err != ErrQueueFull {
		t.Errorf("third of two: %v", err)
	}
	b.push(&frame{data: make([]byte, 500)}) // the connection's own: beside the limits, but counted
	b.wantDepth(t, 3, 580)
	if len(b.started) != 1 {
		t.Errorf("%d writers started for three messages, want 1", len(b.started))
	}
	b.close(ErrWriteTimeout)
	for _, result := range []<-chan error{first, second} {
		if err := <-result; err != ErrWriteTimeout {
			t.Errorf("the waiter got %v, want the reason of the close", err)
		}
	}
	b.wantDepth(t, 0, 0)
	if err := b.post(&frame{}, 1); err != ErrClosed {
		t.Errorf("post after close: %v, want ErrClosed", err)
	}
	if n := b.counters.Get(MessagesSent); n != 0 {
		t.Errorf("%d messages counted as sent, none was", n)
	}
}

// Refused messages stay with their sender, queued ones are written, and the connection's own are accepted.
func TestOutboxRefusesAndAccepts(t *testing.T) {
	b := newBoxed(10, 100)
	b.put(t, 1)
	b.refuse()
	if err := b.post(&frame{}, 1); err != ErrClosed {
		t.Errorf("post while refusing: %v, want ErrClosed", err)
	}
	b.push(&frame{data: make([]byte, 2)})
	b.wantDepth(t, 2, 3)
	b.accept()
	b.put(t, 4)
	b.wantDepth(t, 3, 7)
}

// Waiting frames are written corked, in order, in as few writes as flushAt allows, and each sender gets its result
// after its flush.
func TestOutboxWritesCorked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		b := newBoxed(1000, 1<<20)
		b.attach(p.ours)
		var results []<-chan error
		for range 64 {
			results = append(results, b.put(t, 500))
		}
		go b.started[0]()
		for i, r := range results {
			if err := <-r; err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		}
		if n := p.conn.Writes.Load(); n != 1 {
			t.Errorf("64 messages took %d writes, want 1", n)
		}
		for range 64 {
			if got := sockettest.ReadOne(t, p.theirs); len(got) != 500 {
				t.Fatalf("a message of %d bytes, want 500", len(got))
			}
		}
		b.wantDepth(t, 0, 0)
		if m, n := b.counters.Get(MessagesSent), b.counters.Get(BytesSent); m != 64 || n != 64*500 {
			t.Errorf("%d messages and %d bytes counted, want 64 and %d", m, n, 64*500)
		}
	})
}

func TestOutboxFlushesAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		b := newBoxed(1000, 1<<20)
		b.attach(p.ours)
		for range 20 { // 20 frames of 10,004 bytes: flushed after each 7th, which brings it over 64 KiB
			b.put(t, 10_000)
		}
		go b.started[0]()
		synctest.Wait()
		if n := p.conn.Writes.Load(); n != 3 {
			t.Errorf("200 KB took %d writes, want 3", n)
		}
		for range 20 {
			sockettest.ReadOne(t, p.theirs)
		}
	})
}

func TestOutboxReportsWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		b := newBoxed(1000, 8<<20)
		b.onSocket(p.ours)
		start := time.Now()
		stuck := b.put(t, 1<<20) // more than the network's capacity, and no reader
		synctest.Wait()
		waits := b.put(t, 10)
		time.Sleep(2 * time.Second)
		if !b.stalled(time.Second) || b.stalled(3*time.Second) {
			t.Error("2 s without progress: stalled must be true for 1 s and false for 3 s")
		}
		if err := <-stuck; err != ErrWriteTimeout {
			t.Errorf("the stuck message: %v, want ErrWriteTimeout", err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %v, want 10s", took)
		}
		if err := <-waits; err != ErrWriteTimeout {
			t.Errorf("the message behind it: %v, want ErrWriteTimeout", err)
		}
		synctest.Wait()
		if len(b.reported()) != 1 || b.reported()[0] != ErrWriteTimeout {
			t.Errorf("reported %v, want the timeout once", b.reported())
		}
		b.wantDepth(t, 0, 0)
		if n := b.counters.Get(MessagesSent); n != 0 {
			t.Errorf("%d messages counted as sent", n)
		}
	})
}

// A peer that keeps reading a large batch is not closed as slow.
func TestOutboxSlowWriterIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		b := newBoxed(1000, 8<<20)
		done := make(chan struct{})
		go func() { // reads 8 messages of 40,000 bytes every 0.9 s
			defer close(done)
			for i := 1; ; i++ {
				if _, _, err := p.theirs.Read(context.Background()); err != nil {
					return
				}
				if i%8 == 0 {
					time.Sleep(900 * time.Millisecond)
				}
			}
		}()
		b.attach(p.ours)
		var last <-chan error
		for range 100 {
			last = b.put(t, 40_000)
		}
		go b.started[0]()
		start := time.Now()
		for range 80 {
			time.Sleep(100 * time.Millisecond)
			if b.stalled(2 * time.Second) {
				t.Fatalf("stalled after %v", time.Since(start))
			}
		}
		if err := <-last; err != nil || time.Since(start) < 8*time.Second {
			t.Errorf("the last message: %v, after %v", err, time.Since(start))
		}
		p.ours.Abort()
		<-done
	})
}
