package feed

import (
	"context"
	"io"
	"sync"
)

// Limits of the events that wait for one reader. An event above the byte limit is taken if no other waits.
const (
	maxWaiting      = 1024
	maxWaitingBytes = 8 << 20
)

// Item is one event for a reader.
type Item struct {
	Name string
	Line []byte // one line without a line break; shared: do not change it
}

// Stream is the queue of one reader. It is for one reading goroutine.
type Stream struct {
	feed    *Feed
	filter  Filter
	text    bool
	handles string        // message type of a handler; empty: no handler
	ready   chan struct{} // capacity 1: the queue may have changed

	mu      sync.Mutex
	waiting []Item
	bytes   int
	lost    int // events lost since the last item of waiting
	ended   bool
}

// Next returns the next event. It waits for one until ctx ends, and returns io.EOF behind the last event.
func (s *Stream) Next(ctx context.Context) (Item, error) {
	for {
		item, ok, ended := s.pop()
		switch {
		case ok:
			return item, nil
		case ended:
			return Item{}, io.EOF
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return Item{}, ctx.Err()
		}
	}
}

// Close ends the stream. The reader must call it.
func (s *Stream) Close() { s.feed.remove(s) }

func (s *Stream) pop() (item Item, ok, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.appendLost()
	}
	if len(s.waiting) == 0 {
		return Item{}, false, s.ended
	}
	item = s.waiting[0]
	s.waiting[0] = Item{}
	s.waiting = s.waiting[1:]
	s.bytes -= len(item.Line)
	return item, true, false
}

// push appends an item, or counts it as lost and returns false.
func (s *Stream) push(item Item) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.waiting)
	switch {
	case s.ended:
	case n >= maxWaiting, n > 0 && s.bytes+len(item.Line) > maxWaitingBytes:
		s.lost++
		s.feed.onLost(1)
		return false
	default:
		s.appendLost()
		s.append(item)
	}
	return true
}

// end appends the last item, also to a full queue.
func (s *Stream) end(last Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.appendLost()
	s.append(last)
	s.ended = true
}

// appendLost appends the report of lost events at their place: behind the events before them.
func (s *Stream) appendLost() {
	if s.lost == 0 {
		return
	}
	report := s.feed.lost(s.lost)
	s.lost = 0
	s.append(Item{Name: report.Name, Line: report.Line(s.text)})
}

func (s *Stream) append(item Item) {
	s.waiting = append(s.waiting, item)
	s.bytes += len(item.Line)
	select {
	case s.ready <- struct{}{}:
	default: // the reader will look anyway
	}
}
