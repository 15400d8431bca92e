package actors

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// maxQuoted is how much of a peer's own text a log line repeats, in bytes before quoting.
const maxQuoted = 64

// Quote returns text that a peer chose in a form that is safe in a log line: cut to 64 bytes and quoted.
func Quote(text string) string {
	if len(text) > maxQuoted {
		return strconv.QuoteToASCII(text[:maxQuoted]) + "…"
	}
	return strconv.QuoteToASCII(text)
}

// LimitedLogger logs what strangers can cause: at most one line a second for each kind of event, with the number left
// out since the line before. Kinds are few and fixed in the code. Safe for concurrent use.
type LimitedLogger struct {
	log   *slog.Logger
	mu    sync.Mutex
	kinds map[string]*sampled
}

type sampled struct {
	last    time.Time
	omitted int
}

// NewLimitedLogger returns a sampler that writes to log.
func NewLimitedLogger(log *slog.Logger) *LimitedLogger {
	return &LimitedLogger{log: log, kinds: make(map[string]*sampled)}
}

// Warn logs one event of a kind, or counts it as left out. The kind is the line's message.
func (s *LimitedLogger) Warn(kind string, attrs ...any) { s.write(slog.LevelWarn, kind, attrs) }

// Error is Warn at the level for what must not happen.
func (s *LimitedLogger) Error(kind string, attrs ...any) { s.write(slog.LevelError, kind, attrs) }

// Info is Warn at the level for what is in order.
func (s *LimitedLogger) Info(kind string, attrs ...any) { s.write(slog.LevelInfo, kind, attrs) }

func (s *LimitedLogger) write(level slog.Level, kind string, attrs []any) {
	omitted, ok := s.admit(kind, time.Now())
	if !ok {
		return
	}
	if omitted > 0 {
		attrs = append(attrs, slog.Int("omitted", omitted))
	}
	s.log.Log(context.Background(), level, kind, attrs...)
}

func (s *LimitedLogger) admit(kind string, now time.Time) (omitted int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kinds[kind]
	if k == nil {
		k = &sampled{}
		s.kinds[kind] = k
	}
	if !k.last.IsZero() && now.Sub(k.last) < time.Second {
		k.omitted++
		return 0, false
	}
	omitted, k.omitted, k.last = k.omitted, 0, now
	return omitted, true
}
