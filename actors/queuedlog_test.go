package actors

import (
	"bytes"
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// gate is a slog.Handler that blocks in Handle until it is opened.
type gate struct {
	slog.Handler
	open chan struct{}
}

func (g gate) Handle(ctx context.Context, line slog.Record) error {
	<-g.open
	return g.Handler.Handle(ctx, line)
}

// A handler that blocks delays no caller. 1,024 lines wait behind the one that is written; the others are dropped and
// reported. The order is kept, and no goroutine stays.
func TestQueuedLogNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		g, dropped := gate{slog.NewTextHandler(&text, nil), make(chan struct{})}, 0
		queued := NewQueuedLog(g, func() { dropped++ })
		log := slog.New(queued)
		log.Debug("not enabled")
		log.Warn("first")
		synctest.Wait()
		for i := range maxLogLines + 5 {
			log.With("a", 1).Warn("line", "i", i)
		}
		if dropped != 5 {
			t.Errorf("%d lines dropped, want 5", dropped)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if queued.Flush(ctx); time.Since(start) != time.Second {
			t.Errorf("Flush waited %v for a blocked handler, want 1s", time.Since(start))
		}
		close(g.open)
		queued.Flush(t.Context())
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(lines) != 1+maxLogLines+1 || !strings.Contains(lines[0], "msg=first") ||
			!strings.HasSuffix(lines[maxLogLines], " a=1 i=1023") || !strings.HasSuffix(lines[1+maxLogLines], " lines=5") {
			t.Errorf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
		}
	})
}

// endless is a slog.Handler that ends its goroutine.
type endless struct {
	slog.Handler
	end func()
}

func (e endless) Handle(ctx context.Context, line slog.Record) error {
	if line.Message == "bad" {
		e.end()
	}
	return e.Handler.Handle(ctx, line)
}

func TestQueuedLogSurvivesItsHandler(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("injected") }, "Goexit": runtime.Goexit} {
		synctest.Test(t, func(t *testing.T) {
			var text bytes.Buffer
			queued := NewQueuedLog(endless{slog.NewTextHandler(&text, nil), end}, nil)
			log := slog.New(queued)
			for _, message := range []string{"one", "bad", "two"} {
				log.Error(message)
			}
			queued.Flush(t.Context())
			if got := strings.Count(text.String(), "\n"); got != 2 || !strings.Contains(text.String(), "msg=two") {
				t.Errorf("%s: %d lines:\n%s", name, got, text.String())
			}
		})
	}
}
