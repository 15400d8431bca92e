package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Snider/go-p2p/cmd/node/internal/printable"
	"github.com/Snider/go-p2p/cmd/node/internal/settings"
	"github.com/Snider/go-p2p/wire"
)

// eventLog writes events, each in one write. The first event is listening and the last is stopped: earlier events wait
// for listening, later ones are dropped. Safe for concurrent use.
type eventLog struct {
	out    io.Writer
	format eventFormat
	shown  atomic.Value // string: settings.EventsAll, EventsNoPayloads or EventsNone

	broken chan struct{} // closed when a write to out fails

	mu      sync.Mutex
	opened  bool
	ended   bool
	waiting bytes.Buffer // lines before listening
}

func newEventLog(out io.Writer, format eventFormat) *eventLog {
	l := &eventLog{out: out, format: format, broken: make(chan struct{})}
	l.show(settings.EventsAll)
	return l
}

// show selects the events that are written from now on.
func (l *eventLog) show(events string) { l.shown.Store(events) }

// open writes the first event and the events that waited for it.
func (l *eventLog) open(first listening, moment time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened = true
	l.write(l.line(first, moment))
	l.write(l.waiting.Bytes())
	l.waiting = bytes.Buffer{}
}

// add writes an event of the given moment.
func (l *eventLog) add(e event, moment time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended:
	case l.opened:
		l.write(l.line(e, moment))
	default:
		l.waiting.Write(l.line(e, moment))
	}
}

// close writes the last event. If the reader of out does not read, close returns when ctx ends.
func (l *eventLog) close(ctx context.Context, last stopped, moment time.Time) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.add(last, moment)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended = true
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (l *eventLog) write(line []byte) {
	if len(line) == 0 {
		return
	}
	if _, err := l.out.Write(line); err != nil {
		l.ended = true
		close(l.broken) // once: ended prevents further writes
	}
}

// line formats an event as one line with a line break, or returns nil if it is not shown.
func (l *eventLog) line(e event, moment time.Time) []byte {
	switch l.shown.Load() {
	case settings.EventsNone:
		return nil
	case settings.EventsNoPayloads:
		e = withoutPayload(e)
	}
	return l.format.line(e, moment)
}

// eventFormat is settings.OutputText or OutputJSON.
type eventFormat string

// line formats an event as one line with a line break. The text of listening has a second line.
func (f eventFormat) line(e event, now time.Time) []byte {
	if f == settings.OutputText {
		return f.text(e, now)
	}
	head, err := wire.MarshalJSON(struct {
		Event string    `json:"event"`
		Time  time.Time `json:"time"`
	}{e.name(), now.UTC()})
	if err == nil {
		var rest []byte
		if rest, err = wire.MarshalJSON(e); err == nil {
			// Every event has at least one key, so the two objects join with a comma.
			head[len(head)-1] = ','
			return append(printable.EscapeJSON(append(head, rest[1:]...)), '\n')
		}
	}
	// Unreachable: only a payload could be invalid JSON, and the decoder has checked it.
	fallback, _ := json.Marshal(map[string]string{"event": e.name(), "error": err.Error()})
	return append(fallback, '\n')
}

func (f eventFormat) text(e event, now time.Time) []byte {
	const form = "15:04:05.000  "
	line := append(now.AppendFormat(nil, form), e.text()+"\n"...)
	if first, ok := e.(listening); ok && first.join != "" {
		line = append(line, strings.Repeat(" ", len(form))+first.join+"\n"...)
	}
	return line
}
