package admin

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// viewerPage is a viewer's end of a stream in the time of the bubble. It records the times of ticks. A stalled one
// blocks each write until its deadline.
type viewerPage struct {
	stalled  bool
	deadline time.Time
	ticks    []time.Time
}

func (p *viewerPage) Header() http.Header { return http.Header{} }
func (p *viewerPage) WriteHeader(int)     {}
func (p *viewerPage) Flush()              {}

func (p *viewerPage) SetWriteDeadline(at time.Time) error {
	p.deadline = at
	return nil
}

func (p *viewerPage) Write(text []byte) (int, error) {
	if p.stalled {
		time.Sleep(time.Until(p.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	if bytes.HasPrefix(text, []byte("event: tick")) {
		p.ticks = append(p.ticks, time.Now())
	}
	return len(text), nil
}

// A viewer that does not read is closed after sendTimeout. Another one gets every tick meanwhile.
func TestStalledViewerDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const during = 10 * sampleEvery
		began := time.Now()
		m := newMonitor(&fakeNode{accepting: true}, newJournal(), nil)
		ctx, cancel := context.WithCancel(t.Context())
		s := newStreams(m, "v1")
		var group sync.WaitGroup
		group.Go(func() { m.run(ctx) })
		watch := func(p *viewerPage) (took time.Duration) {
			m.watch(1)
			defer m.watch(-1)
			s.serve(ctx, &viewer{w: p, control: http.NewResponseController(p)})
			return time.Since(began)
		}
		var stalledFor time.Duration
		group.Go(func() { stalledFor = watch(&viewerPage{stalled: true}) })
		reader := &viewerPage{}
		group.Go(func() { watch(reader) })
		time.Sleep(during + sampleEvery/2)
		cancel()
		group.Wait()
		if stalledFor != sendTimeout {
			t.Errorf("the stalled viewer was closed after %v, want %v", stalledFor, sendTimeout)
		}
		for i, at := range reader.ticks {
			if i > 0 && at.Sub(reader.ticks[i-1]) != sampleEvery {
				t.Errorf("tick %d %v after the one before, want %v", i, at.Sub(reader.ticks[i-1]), sampleEvery)
			}
		}
		if n := len(reader.ticks); n < int(during/sampleEvery) {
			t.Errorf("%d ticks in %v", n, during)
		}
	})
}
