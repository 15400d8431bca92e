// Package feed passes the events of the node to the readers of the control socket: event streams, and handlers of one
// message type. Publishing never waits. A reader that is too slow loses events; the next event that it gets is "lost",
// with the number of lost ones.
package feed

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// MaxStreams is the number of streams and handlers that may be open together.
const MaxStreams = 64

// Errors of opening a stream.
var (
	ErrTooMany = errors.New("too many event streams are open")
	ErrClosed  = errors.New("the node is stopping")
	ErrHandled = errors.New("the message type has a handler already")
)

// Lost is the name of the event that reports lost events.
const Lost = "lost"

// Message is the name of the events of received messages.
const Message = "message"

// Event is one event of the node.
type Event struct {
	Name string // as in the JSON
	Peer string // node ID; empty: the event is not about one peer
	Type string // of the message; empty: the event is no message
	// Line returns the event as one line, as text or as JSON, without a line break. The feed calls it at most once for
	// each form, on the goroutine of Publish.
	Line func(text bool) []byte
}

// Filter selects events. The zero value selects all.
type Filter struct {
	Events []string // names; empty: all, or with Types only messages
	Types  []string // of messages; empty: all
	Peer   string   // node ID; empty: all
}

func (f *Filter) match(e *Event) bool {
	isMessage := e.Name == Message
	switch {
	case len(f.Events) > 0 && !slices.Contains(f.Events, e.Name),
		len(f.Events) == 0 && len(f.Types) > 0 && !isMessage,
		len(f.Types) > 0 && isMessage && !slices.Contains(f.Types, e.Type),
		f.Peer != "" && e.Peer != f.Peer:
		return false
	}
	return true
}

// Feed distributes events to its streams. Safe for concurrent use.
type Feed struct {
	lost   func(count int) Event // makes the event that reports lost ones
	onLost func(count int)       // counts lost events

	mu      sync.Mutex // held by writers of open
	closed  bool
	open    atomic.Pointer[[]*Stream]
	drained chan struct{} // closed when the feed is closed and its last stream has ended
}

// New returns a feed. lost makes the event for a number of lost ones; onLost is called for each loss.
func New(lost func(count int) Event, onLost func(count int)) *Feed {
	return &Feed{lost: lost, onLost: onLost, drained: make(chan struct{})}
}

// Watch opens a stream of the events that a filter selects, as text or as JSON. The caller must close it.
func (f *Feed) Watch(filter Filter, text bool) (*Stream, error) {
	return f.add(&Stream{feed: f, filter: filter, text: text, ready: make(chan struct{}, 1)})
}

// Handle opens a stream of the messages of one type, as JSON, for its handler. A second one is refused with ErrHandled
// until the first is closed.
func (f *Feed) Handle(kind string) (*Stream, error) {
	filter := Filter{Types: []string{kind}}
	return f.add(&Stream{feed: f, filter: filter, handles: kind, ready: make(chan struct{}, 1)})
}

func (f *Feed) add(s *Stream) (*Stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.streams()
	switch {
	case f.closed:
		return nil, ErrClosed
	case s.handles != "" && handler(all, s.handles) != nil:
		return nil, ErrHandled
	case len(all) >= MaxStreams:
		return nil, ErrTooMany
	}
	next := append(slices.Clone(all), s)
	f.open.Store(&next)
	return s, nil
}

func (f *Feed) remove(s *Stream) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.streams()
	if !slices.Contains(all, s) {
		return
	}
	next := slices.DeleteFunc(slices.Clone(all), func(other *Stream) bool { return other == s })
	f.open.Store(&next)
	if f.closed && len(next) == 0 {
		close(f.drained)
	}
}

func (f *Feed) streams() []*Stream {
	if all := f.open.Load(); all != nil {
		return *all
	}
	return nil
}

// Open reports whether a stream or a handler is open.
func (f *Feed) Open() bool { return len(f.streams()) > 0 }

// Attended reports whether a program may answer messages of a type: its handler, or the reader of any event stream.
func (f *Feed) Attended(kind string) bool {
	return slices.ContainsFunc(f.streams(), func(s *Stream) bool { return s.handles == "" || s.handles == kind })
}

func handler(all []*Stream, kind string) *Stream {
	for _, s := range all {
		if s.handles == kind {
			return s
		}
	}
	return nil
}

// Publish passes an event to each stream that selects it. It never waits. It returns false if a handler lost the event
// because too many wait for it.
func (f *Feed) Publish(e Event) (taken bool) {
	var lines [2][]byte // JSON, text
	taken = true
	for _, s := range f.streams() {
		if !s.filter.match(&e) {
			continue
		}
		form := 0
		if s.text {
			form = 1
		}
		if lines[form] == nil {
			lines[form] = e.Line(s.text)
		}
		if !s.push(Item{Name: e.Name, Line: lines[form]}) && s.handles != "" {
			taken = false
		}
	}
	return taken
}

// Close passes the last event to every stream, also to those that do not select it, and ends the streams behind it. The
// returned channel is closed when all streams are closed.
func (f *Feed) Close(last Event) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.drained
	}
	f.closed = true
	all := f.streams()
	for _, s := range all {
		s.end(Item{Name: last.Name, Line: last.Line(s.text)})
	}
	if len(all) == 0 {
		close(f.drained)
	}
	return f.drained
}
