package nodetest

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
)

// Log is a handler that records a node's log and counts its lines by message. Safe for concurrent use.
type Log struct {
	handler slog.Handler // writes text into buf

	mu      sync.Mutex
	buf     bytes.Buffer
	lines   map[string]int
	omitted map[string]int
	longest int
}

func newLog() *Log {
	l := &Log{lines: make(map[string]int), omitted: make(map[string]int)}
	l.handler = slog.NewTextHandler(&l.buf, nil)
	return l
}

// Enabled implements slog.Handler.
func (l *Log) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (l *Log) Handle(ctx context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[r.Message]++
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "omitted" {
			l.omitted[r.Message] += int(a.Value.Int64())
		}
		return true
	})
	before := l.buf.Len()
	err := l.handler.Handle(ctx, r)
	l.longest = max(l.longest, l.buf.Len()-before)
	return err
}

// WithAttrs implements slog.Handler.
func (l *Log) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l *Log) WithGroup(string) slog.Handler { return l }

// Lines returns the number of lines with a message, and the sum of their "omitted" attributes.
func (l *Log) Lines(message string) (lines, omitted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines[message], l.omitted[message]
}

// LongestLine returns the length of the longest line in bytes.
func (l *Log) LongestLine() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.longest
}

// String returns the log as text.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
