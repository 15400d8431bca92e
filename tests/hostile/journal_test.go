package hostile

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
)

// journal is a log that can be asked how many lines of each kind it holds. A kind is a line's message.
type journal struct {
	handler slog.Handler // writes text into buf

	mu      sync.Mutex
	buf     bytes.Buffer
	lines   map[string]int
	omitted map[string]int
	longest int
}

func newJournal() *journal {
	j := &journal{lines: make(map[string]int), omitted: make(map[string]int)}
	j.handler = slog.NewTextHandler(&j.buf, nil)
	return j
}

func (j *journal) logger() *slog.Logger { return slog.New(j) }

// Enabled implements slog.Handler.
func (j *journal) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (j *journal) Handle(ctx context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines[r.Message]++
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "omitted" {
			j.omitted[r.Message] += int(a.Value.Int64())
		}
		return true
	})
	before := j.buf.Len()
	err := j.handler.Handle(ctx, r)
	j.longest = max(j.longest, j.buf.Len()-before)
	return err
}

// WithAttrs implements slog.Handler.
func (j *journal) WithAttrs([]slog.Attr) slog.Handler { return j }

// WithGroup implements slog.Handler.
func (j *journal) WithGroup(string) slog.Handler { return j }

// of returns the lines of a kind and the events that they say were left out.
func (j *journal) of(kind string) (lines, omitted int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines[kind], j.omitted[kind]
}

// longestLine is the longest line's length in bytes.
func (j *journal) longestLine() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.longest
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}
