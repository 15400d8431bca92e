package admin

import (
	"slices"
	"sync"
	"time"
)

// viewers bounds the event streams, so that clients that open streams and read nothing cannot shut out others: the
// buffers of the operating system hide for minutes that a viewer reads nothing. If all places are taken, a new viewer
// ends the stream that has been open longest, if it has been open for stay or longer; the dashboard opens its stream
// again. Safe for concurrent use.
type viewers struct {
	limit int
	stay  time.Duration // that a stream may be open undisturbed

	mu     sync.Mutex
	closed bool
	open   []*seat // oldest first
	gone   sync.WaitGroup
}

// seat is the place of one viewer.
type seat struct {
	since time.Time
	end   func() // ends the stream; must not wait
}

// enter takes a place at now, or returns nil if none is free. The caller must call leave.
func (v *viewers) enter(now time.Time, end func()) *seat {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return nil
	}
	if len(v.open) >= v.limit {
		oldest := v.open[0]
		if now.Sub(oldest.since) < v.stay {
			return nil
		}
		v.open = v.open[1:]
		oldest.end()
	}
	s := &seat{since: now, end: end}
	v.open = append(v.open, s)
	v.gone.Add(1)
	return s
}

// leave frees the place of a viewer whose stream has ended.
func (v *viewers) leave(s *seat) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.open = slices.DeleteFunc(v.open, func(other *seat) bool { return other == s })
	v.gone.Done()
}

// wait refuses new viewers and blocks until all have left.
func (v *viewers) wait() {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
	v.gone.Wait()
}
