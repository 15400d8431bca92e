package nodetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// Event is one line of `node run --output json`.
type Event struct {
	Line   string
	Kind   string
	Fields map[string]any
	Fault  error // not nil if the line is no event
}

func parseEvent(line string) Event {
	e := Event{Line: line}
	if err := json.Unmarshal([]byte(line), &e.Fields); err != nil {
		e.Fault = fmt.Errorf("%w: %q", err, Head(line))
		return e
	}
	e.Kind = e.Str("event")
	if e.Kind == "" {
		e.Fault = fmt.Errorf("no event name: %q", Head(line))
	}
	if _, err := time.Parse(time.RFC3339Nano, e.Str("time")); err != nil {
		e.Fault = fmt.Errorf("time: %w: %q", err, Head(line))
	}
	return e
}

// Str returns a field's text, empty if the field is missing or no text.
func (e Event) Str(key string) string { s, _ := e.Fields[key].(string); return s }

// Num returns a field's number, -1 if the field is missing or no number.
func (e Event) Num(key string) float64 {
	if f, ok := e.Fields[key].(float64); ok {
		return f
	}
	return -1
}

// Message returns the envelope of a "message" event.
func (e Event) Message() refpeer.Envelope {
	var m struct{ Message refpeer.Envelope }
	_ = json.Unmarshal([]byte(e.Line), &m) // parseEvent has read the same line
	return m.Message
}

// Has reports whether the event is of a kind and its fields have the values of the key, value pairs that follow. A key
// "message.type" looks into the envelope.
func (e Event) Has(kind string, pairs ...any) bool {
	if e.Kind != kind {
		return false
	}
	for i := 0; i < len(pairs); i += 2 {
		var value any = e.Fields
		for _, key := range strings.Split(pairs[i].(string), ".") {
			object, _ := value.(map[string]any)
			value = object[key]
		}
		if value != pairs[i+1] {
			return false
		}
	}
	return true
}

// WantKeys requires that an event has these keys and no others, beside "event", "time" and the optional key.
func (e Event) WantKeys(t testing.TB, optional string, keys ...string) {
	t.Helper()
	got := slices.DeleteFunc(slices.Sorted(maps.Keys(e.Fields)), func(key string) bool {
		return key == "event" || key == "time" || key == optional
	})
	if want := slices.Sorted(slices.Values(keys)); !slices.Equal(got, want) {
		t.Errorf("the keys of %s are %q, want %q: %s", e.Kind, got, want, e.Line)
	}
}

// Number requires that the value of a key is a whole number of at least 1, and returns it.
func (e Event) Number(t testing.TB, key string) uint64 {
	t.Helper()
	f := e.Num(key)
	if f < 1 || f != float64(uint64(f)) {
		t.Errorf("%s of %s is %v, want a whole number from 1: %s", key, e.Kind, e.Fields[key], e.Line)
	}
	return uint64(f)
}
