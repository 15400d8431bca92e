package supervisor

import (
	"context"
	"errors"
	"log/slog"
)

// containedLog contains the faults of a program's slog.Handler: a line is dropped if Enabled or Handle panics or calls
// runtime.Goexit. Attributes or a group are left out if WithAttrs or WithGroup does. Each method of the handler runs on
// a goroutine of its own, and its caller waits for it.
type containedLog struct{ inner slog.Handler }

// apart runs a function of the program's on a goroutine of its own, and returns once that has ended. The error is that
// of the function, or says that it panicked or called runtime.Goexit.
func apart(what string, call func() error) (err error) {
	err = errors.New(what + " called runtime.Goexit")
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer contain(what, &err)
		err = call()
	}()
	<-done
	return err
}

// Enabled implements slog.Handler.
func (h containedLog) Enabled(ctx context.Context, level slog.Level) (enabled bool) {
	err := apart("the log handler's Enabled", func() error {
		enabled = h.inner.Enabled(ctx, level)
		return nil
	})
	return enabled && err == nil
}

// Handle implements slog.Handler.
func (h containedLog) Handle(ctx context.Context, line slog.Record) error {
	return apart("the log handler", func() error { return h.inner.Handle(ctx, line) })
}

// WithAttrs implements slog.Handler.
func (h containedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.derived("the log handler's WithAttrs", func() slog.Handler { return h.inner.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (h containedLog) WithGroup(name string) slog.Handler {
	return h.derived("the log handler's WithGroup", func() slog.Handler { return h.inner.WithGroup(name) })
}

// derived returns the handler that derive returns, contained, or h if there is none.
func (h containedLog) derived(what string, derive func() slog.Handler) slog.Handler {
	next := containedLog{}
	err := apart(what, func() error {
		next.inner = derive()
		return nil
	})
	if err != nil || next.inner == nil {
		return h
	}
	return next
}
