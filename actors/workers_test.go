package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A burst of jobs runs on a few goroutines.
func TestWorkersAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorkers(2)
		defer w.Close()
		w.maxWorking = 3
		gate := make(chan struct{})
		var at, most, done atomic.Int64
		for range 100 {
			w.Schedule(func() {
				now := at.Add(1)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				<-gate
				at.Add(-1)
				done.Add(1)
			})
		}
		began := time.Now()
		synctest.Wait()
		close(gate)
		synctest.Wait()
		if done.Load() != 100 || most.Load() != 3 || time.Since(began) != 0 {
			t.Errorf("%d jobs done, %d at a time, after %v; want 100, 3, at once", done.Load(), most.Load(), time.Since(began))
		}
		if len(w.idle) != 2 || w.working != 0 {
			t.Errorf("%d goroutines wait and %d work, want 2 and none", len(w.idle), w.working)
		}
	})
}

func TestWorkersKeepOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorkers(1)
		defer w.Close()
		w.maxWorking = 1
		var order, want []int
		for i := range 100 {
			w.Schedule(func() { order = append(order, i) })
			want = append(want, i)
		}
		synctest.Wait()
		if !slices.Equal(order, want) {
			t.Errorf("done in the order %v", order)
		}
	})
}

// Jobs that never end delay other jobs only until the workers count as blocked.
func TestWorkersStartMoreWhenBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorkers(4)
		defer w.Close()
		w.maxWorking = 2
		gate := make(chan struct{})
		defer close(gate)
		const stuck = 1000
		for range stuck {
			w.Schedule(func() { <-gate })
		}
		began, done := time.Now(), make(chan struct{})
		w.Schedule(func() { close(done) })
		<-done
		// The number doubles each time: 2, 4, 8, … 1024.
		if took := time.Since(began); took > 10*blockedAfter {
			t.Errorf("a job waited %v behind %d stuck ones", took, stuck)
		}
		synctest.Wait()
		if w.working != stuck {
			t.Errorf("%d work, want %d", w.working, stuck)
		}
	})
}

// A job inside runBlocking delays no other job.
func TestWorkersRunBlockingDelaysNoJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorkers(1)
		defer w.Close()
		w.maxWorking = 1
		gate, began := make(chan struct{}), time.Now()
		var part Activity
		var at, others atomic.Int64
		for range 3 {
			w.Schedule(func() { w.runBlocking(&part, func() { at.Add(1); <-gate }) })
			w.Schedule(func() { others.Add(1) })
		}
		synctest.Wait()
		if at.Load() != 3 || others.Load() != 3 || time.Since(began) != 0 {
			t.Errorf("%d of 3 stepped aside, %d of 3 others done after %v", at.Load(), others.Load(), time.Since(began))
		}
		close(gate)
		<-part.Idle()
		synctest.Wait()
		if w.working != 0 || len(w.idle) != 1 {
			t.Errorf("%d work and %d wait in the end, want none and 1", w.working, len(w.idle))
		}
	})
}

// While queued jobs start, no goroutine is added, however long the queue is.
func TestWorkersStartNoMoreWhenSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWorkers(2)
		defer w.Close()
		w.maxWorking = 2
		var done sync.WaitGroup
		for range 100 {
			done.Add(1)
			w.Schedule(func() {
				defer done.Done()
				time.Sleep(blockedAfter * 3 / 4)
			})
		}
		began := time.Now()
		done.Wait()
		if took := time.Since(began); took != 100/2*blockedAfter*3/4 {
			t.Errorf("took %v, so more than two worked", took)
		}
	})
}

// The memory of the queue is proportional to the largest number of queued jobs.
func TestFIFOReusesMemory(t *testing.T) {
	var b fifo
	in, out := 0, 0
	for range 100_000 {
		for range 1 + in%3 {
			n := in
			b.push(job{run: func() { out = n }})
			in++
		}
		for want := in - b.len(); b.len() > 5; want++ {
			if b.pop().run(); out != want {
				t.Fatalf("job %d came out in place of %d", out, want)
			}
		}
	}
	if cap(b.jobs) > 64 {
		t.Errorf("room for %d jobs, of which 8 waited at most", cap(b.jobs))
	}
}
