package nodetest

import (
	"fmt"
	"strings"
	"time"
)

// Await returns the first event of a kind with these fields, past or future.
func (p *Process) Await(kind string, pairs ...any) Event {
	p.t.Helper()
	return p.AwaitAfter(0, kind, pairs...)
}

// AwaitAfter is Await for the events after a mark.
func (p *Process) AwaitAfter(mark int, kind string, pairs ...any) Event {
	p.t.Helper()
	e, err := p.Find(mark, kind, pairs...)
	if err != nil {
		p.Fatalf("waiting for %q with %v: %v", kind, pairs, err)
	}
	return e
}

// Next returns the first event of a kind with these fields behind the one that the call before returned. For one
// goroutine.
func (p *Process) Next(kind string, pairs ...any) Event {
	p.t.Helper()
	e, next, err := p.find(p.next, kind, pairs...)
	if err != nil {
		p.Fatalf("waiting for the next %q with %v: %v", kind, pairs, err)
	}
	p.next = next
	return e
}

// AwaitCount waits until there are at least n events of a kind with these fields.
func (p *Process) AwaitCount(n int, kind string, pairs ...any) {
	p.t.Helper()
	mark, err := 0, error(nil)
	for i := range n {
		if _, mark, err = p.find(mark, kind, pairs...); err != nil {
			p.Fatalf("waiting for %d times %q with %v, have %d: %v", n, kind, pairs, i, err)
		}
	}
}

// Stderr returns the standard error so far.
func (p *Process) Stderr() string {
	text, _ := p.stderr.read()
	return text
}

// AwaitStderr waits until the standard error satisfies a condition.
func (p *Process) AwaitStderr(what string, ok func(string) bool) string {
	p.t.Helper()
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	for {
		text, more := p.stderr.read()
		if ok(text) {
			return text
		}
		select {
		case <-more:
		case <-p.ended:
			p.Fatalf("waiting for %s on standard error: %v", what, errExited)
		case <-timeout.C:
			p.Fatalf("waiting for %s on standard error: not seen within %v", what, Patience)
		}
	}
}

// Fatalf fails the test and shows the last 20 events and the end of the standard error.
func (p *Process) Fatalf(format string, args ...any) {
	p.t.Helper()
	var events strings.Builder
	all := p.All()
	for _, e := range all[max(0, len(all)-20):] {
		events.WriteString(Head(e.Line))
	}
	p.t.Fatalf("node %s: %s\n%d events, the last:\n%s\nstandard error:\n%s",
		p.Name(), fmt.Sprintf(format, args...), len(all), events.String(), Tail(p.Stderr()))
}
