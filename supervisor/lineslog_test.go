package supervisor

import (
	"context"
	"log/slog"
	"strings"
	"sync"
)

// linesLog stores the messages of log lines.
type linesLog struct {
	slog.Handler
	mu    sync.Mutex
	lines []string
}

func newLinesLog() *linesLog { return &linesLog{Handler: slog.DiscardHandler} }

func (l *linesLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *linesLog) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, r.Message)
	return nil
}

// count returns how many lines contain text.
func (l *linesLog) count(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}
