package actors

import (
	"errors"
	"testing"
)

// newPooled returns outboxes that share a pool of 300 bytes: each holds at most 200, of which 100 are its share.
func newPooled(count int) (list []*boxed, pool *QueuePool) {
	pool = &QueuePool{}
	pool.SetLimit(300)
	for range count {
		b := newBoxed(100, 200)
		b.node.Queues, b.node.Limits.QueueShare = pool, 100
		list = append(list, b)
	}
	return list, pool
}

// fill posts messages of 50 bytes in all outboxes in turn until each refuses, and returns the sum.
func fill(t *testing.T, list []*boxed) (sum int) {
	t.Helper()
	for refused := 0; refused < len(list); {
		refused = 0
		for _, b := range list {
			switch err := b.post(&frame{}, 50); {
			case err == nil:
				sum += 50
			case errors.Is(err, ErrQueueFull):
				refused++
			default:
				t.Fatal(err)
			}
		}
	}
	return sum
}

func TestQueuePoolBoundsTheSumOfQueues(t *testing.T) {
	list, pool := newPooled(10)
	if sum := fill(t, list); sum != 10*100+300 {
		t.Errorf("%d bytes in all queues, want 1300", sum)
	}
	if err := list[9].post(&frame{}, 1); err != errPoolFull {
		t.Errorf("a queue with free bytes of its own: %v, want errPoolFull", err)
	}
	if err := list[0].post(&frame{}, 1); err != errPoolFull && err != ErrQueueFull {
		t.Errorf("a full queue: %v", err)
	}
	if got := pool.Used(); got != 300 {
		t.Errorf("%d bytes of the pool are used, want 300", got)
	}
}

// Each way out of a queue returns the bytes to the pool: written, withdrawn, the end.
func TestQueuePoolGetsEachByteBack(t *testing.T) {
	list, pool := newPooled(1)
	b := list[0]
	check := func(step string, want int64) {
		t.Helper()
		if got := pool.Used(); got != want {
			t.Errorf("%s: %d bytes of the pool are used, want %d", step, got, want)
		}
	}
	for range 4 {
		b.put(t, 50)
	}
	check("four messages", 100)
	b.push(&frame{data: make([]byte, 30)})
	check("one of the connection itself", 130)
	b.complete([]*frame{{data: make([]byte, 50), charged: 50}}, 50, nil)
	check("one written", 80)
	b.discharge(50)
	b.messages--
	check("one withdrawn", 30)
	b.put(t, 60)
	check("another", 90)
	b.close(ErrClosed)
	check("the end", 0)
	if err := b.post(&frame{}, 60); err != ErrClosed {
		t.Errorf("a message afterwards: %v, want ErrClosed", err)
	}
	check("a message afterwards", 0)
}

// An empty queue takes one message of any size. It counts.
func TestQueuePoolNeverRefusesTheFirstMessage(t *testing.T) {
	list, pool := newPooled(4)
	fill(t, list[:3])
	if err := list[3].post(&frame{}, 5000); err != nil {
		t.Errorf("the first message: %v", err)
	}
	if got := pool.Used(); got != 300+4900 {
		t.Errorf("%d bytes of the pool are used, want 5200", got)
	}
	list[3].discharge(5000)
	if got := pool.Used(); got != 300 {
		t.Errorf("%d bytes of the pool are used afterwards, want 300", got)
	}
}
