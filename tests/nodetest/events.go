package nodetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// errExited ends a wait for an event of a process that has ended.
var errExited = errors.New("the process has ended")

// Events records the events of a process until the end of the test. Safe for concurrent use.
type Events struct {
	only []string // kinds that are recorded; empty: all

	mu     sync.Mutex
	events []Event
	over   bool          // no event follows
	more   chan struct{} // closed and replaced with every event, closed for good at the end
}

func newEvents(only []string) *Events { return &Events{only: only, more: make(chan struct{})} }

// read records events until the process closes its output. A last line without its end is left out: kill -9 may cut it.
func (s *Events) read(stdout io.Reader) {
	lines := bufio.NewReaderSize(stdout, 64<<10)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if s.wanted(line) {
			s.add(parseEvent(line))
		}
	}
}

func (s *Events) wanted(line string) bool {
	return len(s.only) == 0 || slices.ContainsFunc(s.only, func(kind string) bool {
		return strings.Contains(line, `"event":"`+kind+`"`)
	})
}

func (s *Events) add(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	close(s.more)
	s.more = make(chan struct{})
}

func (s *Events) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	close(s.more)
}

// All returns a copy of the events so far.
func (s *Events) All() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Mark returns the number of events so far, for Find and AwaitAfter.
func (s *Events) Mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events)
}

// Count returns the number of events of a kind with these fields so far.
func (s *Events) Count(kind string, pairs ...any) int {
	found := 0
	for _, e := range s.All() {
		if e.Has(kind, pairs...) {
			found++
		}
	}
	return found
}

// Messages returns the envelopes of the "message" events of a type so far, in order.
func (s *Events) Messages(typ string) []refpeer.Envelope {
	var found []refpeer.Envelope
	for _, e := range s.All() {
		if e.Has("message", "message.type", typ) {
			found = append(found, e.Message())
		}
	}
	return found
}

// Find returns the first event of a kind with these fields after a mark, past or future. It waits for Patience, or
// until the process ends.
func (s *Events) Find(mark int, kind string, pairs ...any) (Event, error) {
	e, _, err := s.find(mark, kind, pairs...)
	return e, err
}

// find also returns the mark behind the event.
func (s *Events) find(mark int, kind string, pairs ...any) (Event, int, error) {
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	for next := mark; ; {
		s.mu.Lock()
		fresh, more, over := s.events[next:], s.more, s.over
		s.mu.Unlock()
		for i, e := range fresh {
			if e.Has(kind, pairs...) {
				return e, next + i + 1, nil
			}
		}
		next += len(fresh)
		if over {
			return Event{}, next, errExited
		}
		select {
		case <-more:
		case <-timeout.C:
			return Event{}, next, fmt.Errorf("not seen within %v", Patience)
		}
	}
}
