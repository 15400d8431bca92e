// Package demo is a small mesh in one process: it connects, talks, is hurt on purpose and recovers, and says what it
// shows as it goes. What it says is what it has seen: a step whose expectations are not met ends it with an error.
package demo

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Options are how a demonstration runs.
type Options struct {
	Out   io.Writer
	JSON  bool          // one object a step, instead of text
	Color bool          // of the text
	Pause time.Duration // between two steps, so that people can follow

	// Keep leaves the nodes running after the last fault. It is called with the first node and returns when it is time
	// to stop; nil: stop at once.
	Keep func(ctx context.Context, node Node) error
}

// patience is how long an expectation may take. The longest, a reconnect after a few failures, needs about 2 s.
const patience = 8 * time.Second

// Run carries out the whole demonstration. The error says what was expected and not seen.
func Run(ctx context.Context, o Options) error { return run(ctx, o, script()) }

// step is one thing that is shown.
type step struct {
	name   string
	about  string // what is done, and what should come of it
	do     func(ctx context.Context, m *mesh) error
	expect []expectation
}

// expectation waits until something is seen and says what that is; an error when ctx ends first.
type expectation func(ctx context.Context, m *mesh) (seen string, err error)

func run(ctx context.Context, o Options, steps []step) error {
	m := newMesh()
	defer m.close()
	r := &report{out: o.Out, json: o.JSON, color: o.Color}
	r.title()
	for i, s := range steps {
		if i > 0 && !wait(ctx, o.Pause) {
			return ctx.Err()
		}
		if err := m.play(ctx, r, i+1, s); err != nil {
			return fmt.Errorf("demo: step %d, %s: %w", i+1, s.name, err)
		}
	}
	if o.Keep != nil {
		if err := m.keep(ctx, o.Keep); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		ctx = context.WithoutCancel(ctx) // what ended the waiting does not end the goodbyes
	}
	if err := m.play(ctx, r, len(steps)+1, farewell()); err != nil {
		return fmt.Errorf("demo: the end: %w", err)
	}
	r.end(len(steps) + 1)
	return nil
}

// play does one step and reports it, with the counters that have moved meanwhile.
func (m *mesh) play(ctx context.Context, r *report, number int, s step) error {
	o := outcome{Number: number, Step: s.name, About: s.about}
	r.begin(o)
	before, start := m.counters(), time.Now()
	m.mark(before)
	err := s.do(ctx, m)
	o.Seen = m.notes()
	r.tell(o.Seen)
	for _, expected := range s.expect {
		if err != nil {
			break
		}
		var seen string
		within, cancel := context.WithTimeout(ctx, patience)
		seen, err = expected(within, m)
		cancel()
		if err == nil {
			o.Seen = append(o.Seen, seen)
			r.check(seen)
		}
	}
	o.Ms = milliseconds(time.Since(start))
	o.Counters = difference(before, m.counters())
	o.OK = err == nil
	if err != nil {
		o.Error = err.Error()
	}
	if failed := r.finish(o); err == nil {
		err = failed
	}
	return err
}

func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// chatEvery is the pace of a mesh that is kept running.
const chatEvery = 300 * time.Millisecond

// keep has the members talk for as long as show runs.
func (m *mesh) keep(ctx context.Context, show func(context.Context, Node) error) error {
	talking, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		pairs := [][2]*member{{m.alice, m.bob}, {m.bob, m.carol}, {m.carol, m.alice}}
		for i := 0; wait(talking, chatEvery); i++ {
			pair := pairs[i%len(pairs)]
			_ = m.ask(talking, pair[0], pair[1], time.Second) // what is lost is seen on the dashboard
			m.forget()
		}
	}()
	err := show(ctx, m.alice.Transport)
	cancel()
	<-ended
	return err
}

// forget drops what has happened, which else would grow for as long as the mesh runs.
func (m *mesh) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log, m.from = nil, 0
}
