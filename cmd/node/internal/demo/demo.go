// Package demo runs a mesh of three nodes in one process: it connects, exchanges messages, injects faults, recovers and
// reports each step. Every reported line was observed; a step that misses an expectation ends the demonstration with an
// error.
package demo

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Options configure a demonstration.
type Options struct {
	Out   io.Writer
	JSON  bool          // one JSON object per step instead of text
	Color bool          // of the text
	Pause time.Duration // between two steps

	// Keep is called after the last fault with the first node; the nodes run until it returns. nil: they stop immediately.
	Keep func(ctx context.Context, node Node) error
}

// patience limits one expectation. The longest, a reconnect after several failures, takes about 2 s.
const patience = 8 * time.Second

// Run runs the whole demonstration. The error names the first expectation that was not met.
func Run(ctx context.Context, o Options) error { return run(ctx, o, script()) }

// step is one step of the demonstration.
type step struct {
	name   string
	about  string // action and expected result
	do     func(ctx context.Context, m *mesh) error
	expect []expectation
}

// expectation blocks until a condition holds and describes it. It returns an error if ctx ends first.
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
		ctx = context.WithoutCancel(ctx) // the stop step runs after an interrupt too
	}
	if err := m.play(ctx, r, len(steps)+1, stopStep()); err != nil {
		return fmt.Errorf("demo: the end: %w", err)
	}
	r.end(len(steps) + 1)
	return nil
}

// play runs one step and reports it with the counters that have grown.
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

// chatEvery is the time between two messages while Keep runs.
const chatEvery = 300 * time.Millisecond

// keep lets the members exchange messages while show runs.
func (m *mesh) keep(ctx context.Context, show func(context.Context, Node) error) error {
	talking, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		pairs := [][2]*member{{m.alice, m.bob}, {m.bob, m.carol}, {m.carol, m.alice}}
		for i := 0; wait(talking, chatEvery); i++ {
			pair := pairs[i%len(pairs)]
			_ = m.ask(talking, pair[0], pair[1], time.Second) // the dashboard shows losses
			m.forget()
		}
	}()
	err := show(ctx, m.alice.Transport)
	cancel()
	<-ended
	return err
}

// forget empties the log, which would otherwise grow while Keep runs.
func (m *mesh) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log, m.from = nil, 0
}
