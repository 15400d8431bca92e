package blackbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// event is one line of `node run --output json`.
type event struct {
	line   string
	kind   string
	fields map[string]any
	fault  error // the line was no event
}

// parseEvent reads a line; what is wrong with it is kept and reported at the end of the test.
func parseEvent(line string) event {
	e := event{line: line}
	if err := json.Unmarshal([]byte(line), &e.fields); err != nil {
		e.fault = fmt.Errorf("%w: %q", err, head(line))
		return e
	}
	e.kind = e.str("event")
	if e.kind == "" {
		e.fault = fmt.Errorf("no event name: %q", head(line))
	}
	if _, err := time.Parse(time.RFC3339Nano, e.str("time")); err != nil {
		e.fault = fmt.Errorf("time: %w: %q", err, head(line))
	}
	return e
}

// str is a field's text, empty when the field is missing or no text.
func (e event) str(key string) string { s, _ := e.fields[key].(string); return s }

// num is a field's number, -1 when the field is missing or no number.
func (e event) num(key string) float64 {
	if f, ok := e.fields[key].(float64); ok {
		return f
	}
	return -1
}

// message is the envelope of a "message" event.
func (e event) message() refpeer.Envelope {
	var m struct{ Message refpeer.Envelope }
	json.Unmarshal([]byte(e.line), &m) // parseEvent has read the same line already
	return m.Message
}

// has says whether the event is of a kind and its fields have the values of the key, value pairs that follow.
// A key "message.type" looks into the envelope.
func (e event) has(kind string, pairs ...any) bool {
	if e.kind != kind {
		return false
	}
	for i := 0; i < len(pairs); i += 2 {
		var value any = e.fields
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

// missing lists the keys that an object should have and does not have.
func missing(object map[string]any, keys ...string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
		_, ok := object[key]
		return ok
	})
}

// all is a copy of the events so far.
func (n *node) all() []event {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.events)
}

// mark is the place where the events now end, for awaitAfter and countAfter.
func (n *node) mark() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.events)
}

// await returns the first event of a kind with these fields, of the past or of the future.
func (n *node) await(kind string, pairs ...any) event {
	n.t.Helper()
	return n.awaitAfter(0, kind, pairs...)
}

// awaitAfter is await for the events after a mark.
func (n *node) awaitAfter(mark int, kind string, pairs ...any) event {
	n.t.Helper()
	e, err := n.find(mark, kind, pairs...)
	if err != nil {
		n.fatalf("waiting for %q with %v: %v", kind, pairs, err)
	}
	return e
}

// find is awaitAfter for goroutines other than the test's own: it returns what went wrong.
func (n *node) find(mark int, kind string, pairs ...any) (event, error) {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for next := mark; ; {
		n.mu.Lock()
		fresh, more := n.events[next:], n.more
		n.mu.Unlock()
		next += len(fresh)
		for _, e := range fresh {
			if e.has(kind, pairs...) {
				return e, nil
			}
		}
		if len(fresh) == 0 && n.over() {
			return event{}, errExited
		}
		select {
		case <-more:
		case <-timeout.C:
			return event{}, fmt.Errorf("not seen within %v", patience)
		}
	}
}

// count is how many events of a kind with these fields there are so far.
func (n *node) count(kind string, pairs ...any) int {
	found := 0
	for _, e := range n.all() {
		if e.has(kind, pairs...) {
			found++
		}
	}
	return found
}

// over says whether the process has ended and all its events have been read.
func (n *node) over() bool {
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// messages returns the envelopes of all "message" events of a type, in order.
func (n *node) messages(typ string) []refpeer.Envelope {
	var found []refpeer.Envelope
	for _, e := range n.all() {
		if e.has("message", "message.type", typ) {
			found = append(found, e.message())
		}
	}
	return found
}

// awaitStderr waits until what the process has written to standard error satisfies a condition.
func (n *node) awaitStderr(what string, ok func(string) bool) string {
	n.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		text, more := n.stderr.read()
		if ok(text) {
			return text
		}
		select {
		case <-more:
		case <-n.ended:
			n.fatalf("waiting for %s on standard error: %v", what, errExited)
		case <-timeout.C:
			n.fatalf("waiting for %s on standard error: not seen within %v", what, patience)
		}
	}
}
