package blackbox

import (
	"fmt"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

func TestStdin(t *testing.T) {
	t.Parallel()
	a := start(t, "--stdin", "--log-level", "error")
	b := start(t, "--name", "beta", "--peer", a.address())
	meet(a, b)
	r := dialed(a, refpeer.Options{})
	r.prove()

	for i, to := range []string{b.id(), b.id()[:8], "beta"} {
		a.write(fmt.Sprintf(`{"to":%q,"type":"chat","payload":{"i":%d}}`, to, i))
	}
	a.write(`{"type":"news","payload":null}`)
	news := b.await("message", "message.type", "news").message()
	got := b.messages("chat")
	if len(got) != 3 {
		t.Fatalf("%d messages of type chat arrived before the broadcast, want 3: %+v", len(got), got)
	}
	for i, m := range got {
		if want := fmt.Sprintf(`{"i":%d}`, i); string(m.Payload) != want || m.To != b.id() {
			t.Errorf("line %d arrived as %+v, want payload %s to %s", i, m, want, b.id())
		}
	}
	if atR := r.next("news", "chat"); atR.ID != news.ID || atR.To != "" || string(atR.Payload) != "null" {
		t.Errorf("the broadcast arrived as %+v, want id %s, no to, payload null", atR, news.ID)
	}
	if text := a.stderr.String(); text != "" {
		t.Fatalf("good lines put something on standard error:\n%s", text)
	}
}

func TestStdinBadLines(t *testing.T) {
	t.Parallel()
	a := start(t, "--stdin", "--log-level", "error")
	b := start(t, "--peer", a.address())
	meet(a, b)
	bad := []string{
		`this is no JSON`,
		`["an","array"]`,
		`{"to":"nobody","type":"chat","payload":1}`,
		`{"to":7,"type":"chat"}`,
		fmt.Sprintf(`{"to":%q,"type":"chat","payload":1} and more`, b.id()),
	}
	a.write(bad...)
	a.awaitStderr("an error line for each bad line", func(s string) bool { return countLines(s) >= len(bad) })
	a.write(fmt.Sprintf(`{"to":%q,"type":"chat","payload":"good"}`, b.id()))
	b.await("message", "message.payload", "good")
	if text := a.stderr.String(); countLines(text) != len(bad) {
		t.Errorf("%d lines on standard error, want one for each of %d bad lines:\n%s", countLines(text), len(bad), text)
	}
	if got := b.messages("chat"); len(got) != 1 {
		t.Errorf("%d messages arrived, want only the good one: %+v", len(got), got)
	}
	for _, e := range a.all() {
		if e.kind == "peer_down" || e.kind == "stopped" {
			t.Errorf("a bad line had an effect: %s", e.line)
		}
	}
}

func TestEndOfInputIsNotTheEnd(t *testing.T) {
	t.Parallel()
	a := start(t, "--stdin")
	b := start(t, "--peer", a.address())
	meet(a, b)
	a.write(fmt.Sprintf(`{"to":%q,"type":"chat","payload":"last line"}`, b.id()))
	if err := a.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	b.await("message", "message.payload", "last line")
	id := b.ok("send", a.id(), "still there?")
	a.await("message", "message.id", id)
	a.status()
	a.stop()
	if e := a.await("stopped"); e.str("reason") == "" {
		t.Errorf("stopped without a reason: %s", e.line)
	}
}
