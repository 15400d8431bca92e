package actors

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// maxQuoted is the number of bytes of a peer's text in a log line, before quoting.
const maxQuoted = 64

// Quote returns a peer's text in a form that is safe in a log line: cut to 64 bytes and quoted.
func Quote(text string) string {
	if len(text) > maxQuoted {
		return strconv.QuoteToASCII(text[:maxQuoted]) + "…"
	}
	return strconv.QuoteToASCII(text)
}

// LimitedLogger logs events that a peer can cause: at most one line per interval and kind, with the number of omitted
// lines. Kinds are few and constant. Safe for concurrent use.
type LimitedLogger struct {
	log   *slog.Logger
	every time.Duration
	mu    sync.Mutex
	kinds map[string]*lineKind
}

// lineKind is the state of one kind of line.
type lineKind struct {
	last    time.Time
	omitted int
}

// NewLimitedLogger returns a logger that writes to log, one line per second and kind.
func NewLimitedLogger(log *slog.Logger) *LimitedLogger {
	return NewLimitedLoggerEvery(log, time.Second)
}

// NewLimitedLoggerEvery returns a logger that writes to log, one line per interval and kind.
func NewLimitedLoggerEvery(log *slog.Logger, every time.Duration) *LimitedLogger {
	return &LimitedLogger{log: log, every: every, kinds: make(map[string]*lineKind)}
}

// Debug is Warn at level debug.
func (l *LimitedLogger) Debug(kind string, attrs ...any) { l.write(slog.LevelDebug, kind, attrs) }

// Warn logs one event of a kind at level warn, or counts it as omitted. The kind is the message of the line.
func (l *LimitedLogger) Warn(kind string, attrs ...any) { l.write(slog.LevelWarn, kind, attrs) }

// Error is Warn at level error.
func (l *LimitedLogger) Error(kind string, attrs ...any) { l.write(slog.LevelError, kind, attrs) }

// NewLimitedHandler returns a handler that passes at most one line per interval and message to inner, with the number
// of omitted lines. The messages of its lines must be few and constant.
func NewLimitedHandler(inner slog.Handler, every time.Duration) slog.Handler {
	return &limitedHandler{inner, NewLimitedLoggerEvery(slog.New(slog.DiscardHandler), every)}
}

// limitedHandler implements slog.Handler.
type limitedHandler struct {
	inner slog.Handler
	lines *LimitedLogger // counts
}

func (h *limitedHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

func (h *limitedHandler) Handle(ctx context.Context, record slog.Record) error {
	omitted, ok := h.lines.admit(record.Message, time.Now())
	if !ok {
		return nil
	}
	if omitted > 0 {
		record = record.Clone()
		record.AddAttrs(slog.Int("omitted", omitted))
	}
	return h.inner.Handle(ctx, record)
}

func (h *limitedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limitedHandler{h.inner.WithAttrs(attrs), h.lines}
}

func (h *limitedHandler) WithGroup(name string) slog.Handler {
	return &limitedHandler{h.inner.WithGroup(name), h.lines}
}

func (l *LimitedLogger) write(level slog.Level, kind string, attrs []any) {
	omitted, ok := l.admit(kind, time.Now())
	if !ok {
		return
	}
	if omitted > 0 {
		attrs = append(attrs, slog.Int("omitted", omitted))
	}
	l.log.Log(context.Background(), level, kind, attrs...)
}

func (l *LimitedLogger) admit(kind string, now time.Time) (omitted int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.kinds[kind]
	if k == nil {
		k = &lineKind{}
		l.kinds[kind] = k
	}
	if !k.last.IsZero() && now.Sub(k.last) < l.every {
		k.omitted++
		return 0, false
	}
	omitted, k.omitted, k.last = k.omitted, 0, now
	return omitted, true
}
