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

func TestDemoReportsEveryStep(t *testing.T) {
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

// A missed expectation is an error even if everything else works, and the nodes stop.
func TestMissedExpectationFailsTheDemo(t *testing.T) {
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
	text := out.String()
	if !strings.Contains(text, "✗ pigs do not fly") || strings.Contains(text, "steps succeeded") ||
		strings.Contains(text, "\x1b") {
		t.Errorf("text %s", text)
	}
}

// A counter that does not grow in time fails its expectation.
func TestUnchangedCounterFailsTheDemo(t *testing.T) {
	steps := append(script()[:1], step{
		name: "nothing", do: func(context.Context, *mesh) error { return nil },
		expect: []expectation{func(ctx context.Context, m *mesh) (string, error) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return counted((*mesh).Alice, "handlerPanics")(ctx, m)
		}},
	})
	err := run(context.Background(), Options{Out: io.Discard, JSON: true}, steps)
	if err == nil || !strings.Contains(err.Error(), "not seen in time") {
		t.Errorf("error %v", err)
	}
}

func TestKeepRunsBeforeTheNodesStop(t *testing.T) {
	var kept string
	o := Options{Out: io.Discard, Color: true, Keep: func(_ context.Context, n Node) error {
		kept = n.URL()
		return nil
	}}
	if err := run(context.Background(), o, script()[:2]); err != nil || !strings.HasPrefix(kept, "ws://127.0.0.1:") {
		t.Errorf("%v, kept %q", err, kept)
	}
}

func TestClosedOutputEndsTheDemo(t *testing.T) {
	out, in := io.Pipe()
	out.Close()
	for _, asJSON := range []bool{true, false} {
		if err := Run(context.Background(), Options{Out: in, JSON: asJSON}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("JSON %v: %v", asJSON, err)
		}
	}
}
