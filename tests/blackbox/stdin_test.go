package blackbox

import (
	"fmt"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

func TestStdinSendsLines(t *testing.T) {
	t.Parallel()
	a := start(t, "--stdin", "--log-level", "error")
	b := start(t, "--name", "beta", "--peer", a.Address())
	meet(a, b)
	r := dialed(a, refpeer.Options{})
	r.prove()

	for i, to := range []string{b.ID(), b.ID()[:8], "beta"} {
		a.WriteLines(fmt.Sprintf(`{"to":%q,"type":"chat","payload":{"i":%d}}`, to, i))
	}
	a.WriteLines(`{"type":"news","payload":null}`)
	news := b.Await("message", "message.type", "news").Message()
	got := b.Messages("chat")
	if len(got) != 3 {
		t.Fatalf("%d messages of type chat arrived before the broadcast, want 3: %+v", len(got), got)
	}
	for i, m := range got {
		if want := fmt.Sprintf(`{"i":%d}`, i); string(m.Payload) != want || m.To != b.ID() {
			t.Errorf("line %d arrived as %+v, want payload %s to %s", i, m, want, b.ID())
		}
	}
	if atR := r.next("news", "chat"); atR.ID != news.ID || atR.To != "" || string(atR.Payload) != "null" {
		t.Errorf("the broadcast arrived as %+v, want id %s, no to, payload null", atR, news.ID)
	}
	if text := a.Stderr(); text != "" {
		t.Fatalf("good lines put something on standard error:\n%s", text)
	}
}

func TestStdinReportsBadLines(t *testing.T) {
	t.Parallel()
	a := start(t, "--stdin", "--log-level", "error")
	b := start(t, "--peer", a.Address())
	meet(a, b)
	bad := []string{
		`this is no JSON`,
		`["an","array"]`,
		`{"to":"nobody","type":"chat","payload":1}`,
		`{"to":7,"type":"chat"}`,
		fmt.Sprintf(`{"to":%q,"type":"chat","payload":1} and more`, b.ID()),
	}
	a.WriteLines(bad...)
	a.AwaitStderr("an error line for each bad line", func(s string) bool { return countLines(s) >= len(bad) })
	a.WriteLines(fmt.Sprintf(`{"to":%q,"type":"chat","payload":"good"}`, b.ID()))
	b.Await("message", "message.payload", "good")
	if text := a.Stderr(); countLines(text) != len(bad) {
		t.Errorf("%d lines on standard error, want one for each of %d bad lines:\n%s", countLines(text), len(bad), text)
	}
	if got := b.Messages("chat"); len(got) != 1 {
		t.Errorf("%d messages arrived, want only the good one: %+v", len(got), got)
	}
	for _, e := range a.All() {
		if e.Kind == "peer_down" || e.Kind == "stopped" {
			t.Errorf("a bad line had an effect: %s", e.Line)
		}
	}
}

func TestEndOfInputStopsNothing(t *testing.T) {
	t.Parallel()
	a := start(t, "--stdin")
	b := start(t, "--peer", a.Address())
	meet(a, b)
	a.WriteLines(fmt.Sprintf(`{"to":%q,"type":"chat","payload":"last line"}`, b.ID()))
	if err := a.Stdin.Close(); err != nil {
		t.Fatal(err)
	}
	b.Await("message", "message.payload", "last line")
	id := b.ok("send", a.ID(), "still there?")
	a.Await("message", "message.id", id)
	a.Status()
	a.Stop()
	if e := a.Await("stopped"); e.Str("reason") == "" {
		t.Errorf("stopped without a reason: %s", e.Line)
	}
}
