package actors

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxLogLines is the number of lines that wait for a slow log handler. Further ones are dropped and counted.
const maxLogLines = 1024

// QueuedLog is a slog.Handler that passes each line to another handler on a goroutine of its own, so that a log whose
// reader has stopped blocks no actor and no listener. The goroutine exists only while lines wait. Lines beyond 1,024
// are dropped; a line with their number follows the lines that waited. Safe for concurrent use.
type QueuedLog struct {
	inner slog.Handler
	queue *logQueue
}

// logQueue is the queue of a QueuedLog and of the handlers derived from it.
type logQueue struct {
	dropped func() // called for each dropped line; nil: not called

	mu      sync.Mutex
	waiting []logLine
	last    slog.Handler  // of the last line, for the report of dropped ones
	lost    int           // lines dropped since the last report
	idle    chan struct{} // closed when no line waits; nil: the queue is idle
}

type logLine struct {
	to     slog.Handler
	record slog.Record
}

// NewQueuedLog returns a QueuedLog before inner. dropped is called for each dropped line, and must not wait; it may be
// nil.
func NewQueuedLog(inner slog.Handler, dropped func()) *QueuedLog {
	return &QueuedLog{inner: inner, queue: &logQueue{dropped: dropped}}
}

// Enabled implements slog.Handler. The inner handler is asked when the line is written, since it may block.
func (*QueuedLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler. It never waits.
func (l *QueuedLog) Handle(_ context.Context, record slog.Record) error {
	l.queue.add(logLine{to: l.inner, record: record.Clone()})
	return nil
}

// WithAttrs implements slog.Handler.
func (l *QueuedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &QueuedLog{inner: l.inner.WithAttrs(attrs), queue: l.queue}
}

// WithGroup implements slog.Handler.
func (l *QueuedLog) WithGroup(name string) slog.Handler {
	return &QueuedLog{inner: l.inner.WithGroup(name), queue: l.queue}
}

// Flush waits until the lines that wait are written, or until ctx ends.
func (l *QueuedLog) Flush(ctx context.Context) {
	l.queue.mu.Lock()
	idle := l.queue.idle
	l.queue.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

func (q *logQueue) add(line logLine) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= maxLogLines {
		q.lost++
		if q.dropped != nil {
			q.dropped()
		}
		return
	}
	q.waiting = append(q.waiting, line)
	if q.idle == nil {
		q.idle = make(chan struct{})
		go q.run()
	}
}

// run writes lines until none wait. If a handler ends the goroutine, another one continues.
func (q *logQueue) run() {
	returned := false
	defer func() {
		if !returned {
			_ = recover() // the line is lost; the handler is broken, so it cannot be told
			go q.run()
		}
	}()
	for {
		line, ok := q.next()
		if !ok {
			break
		}
		ctx := context.Background()
		if line.to.Enabled(ctx, line.record.Level) {
			_ = line.to.Handle(ctx, line.record)
		}
	}
	returned = true
}

// next returns the next line. After the last one it returns the report of dropped lines, if there are any, and then
// false.
func (q *logQueue) next() (line logLine, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		line = q.waiting[0]
		q.waiting[0] = logLine{}
		q.waiting = q.waiting[1:]
		q.last = line.to
		return line, true
	}
	if q.lost > 0 {
		record := slog.NewRecord(time.Now(), slog.LevelWarn, "log lines were dropped: the log is read too slowly", 0)
		record.AddAttrs(slog.Int("lines", q.lost))
		q.lost = 0
		return logLine{to: q.last, record: record}, true
	}
	q.last, q.waiting = nil, nil
	close(q.idle)
	q.idle = nil
	return logLine{}, false
}
