package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// The demonstration ends well only when all that it claims was seen, and names each step.
func TestDemo(t *testing.T) {
	var out bytes.Buffer
	if err := Run(context.Background(), Options{Out: &out, JSON: true}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	var names []string
	for line := range strings.Lines(out.String()) {
		var o outcome
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !o.OK || o.Error != "" || len(o.Seen) == 0 || o.Number != len(names)+1 {
			t.Errorf("step %+v", o)
		}
		names = append(names, o.Step)
	}
	want := "start connect talk duplicate flood handler-panic actor-crash stalled-peer impostor-called impostor-calls stop"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("steps %s\nwant  %s", got, want)
	}
}

// An expectation that is not met is an error, also when all the rest works, and the nodes are gone all the same.
func TestBrokenExpectation(t *testing.T) {
	never := errors.New("pigs do not fly")
	steps := append(script()[:2], step{
		name: "pigs", do: func(context.Context, *mesh) error { return nil },
		expect: []expectation{func(context.Context, *mesh) (string, error) { return "", never }},
	})
	var out bytes.Buffer
	err := run(context.Background(), Options{Out: &out}, steps)
	if !errors.Is(err, never) || !strings.Contains(err.Error(), "step 3, pigs") {
		t.Errorf("error %v", err)
	}
	if text := out.String(); !strings.Contains(text, "✗ pigs do not fly") || strings.Contains(text, "were seen to work") || strings.Contains(text, "\x1b") {
		t.Errorf("text %s", text)
	}
}

// A counter that stays where it is fails an expectation when its time is over.
func TestCounterThatStays(t *testing.T) {
	steps := append(script()[:1], step{
		name: "nothing", do: func(context.Context, *mesh) error { return nil },
		expect: []expectation{func(ctx context.Context, m *mesh) (string, error) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return counted((*mesh).Alice, "handlerPanics", 1)(ctx, m)
		}},
	})
	if err := run(context.Background(), Options{Out: io.Discard, JSON: true}, steps); err == nil || !strings.Contains(err.Error(), "not seen in time") {
		t.Errorf("error %v", err)
	}
}

// Keep is called before the nodes stop, with one of them.
func TestKeep(t *testing.T) {
	var kept string
	o := Options{Out: io.Discard, Color: true, Keep: func(_ context.Context, n Node) error {
		kept = n.URL()
		return nil
	}}
	if err := run(context.Background(), o, script()[:2]); err != nil || !strings.HasPrefix(kept, "ws://127.0.0.1:") {
		t.Errorf("%v, kept %q", err, kept)
	}
}

// An output that is closed ends it.
func TestClosedOutput(t *testing.T) {
	out, in := io.Pipe()
	out.Close()
	for _, asJSON := range []bool{true, false} {
		if err := Run(context.Background(), Options{Out: in, JSON: asJSON}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("JSON %v: %v", asJSON, err)
		}
	}
}
