package blackbox

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestRequestIsAnsweredByStdin answers through the other node's standard input, with a replyTo.
func TestRequestIsAnsweredByStdin(t *testing.T) {
	t.Parallel()
	a := start(t)
	b := start(t, "--stdin", "--peer", a.Address())
	meet(a, b)

	var answering sync.WaitGroup
	answering.Go(func() {
		e, err := b.Find(0, "message", "message.type", "question")
		if err != nil {
			t.Errorf("the question did not arrive: %v", err)
			return
		}
		line, _ := json.Marshal(map[string]any{
			"to": a.ID(), "type": "answer", "payload": map[string]int{"n": 42}, "replyTo": e.Message().ID,
		})
		if _, err := b.Stdin.Write(append(line, '\n')); err != nil {
			t.Errorf("standard input: %v", err)
		}
	})
	var answer refpeer.Envelope
	a.json(&answer, "request", b.ID(), `{"what":"n"}`, "--type", "question")
	answering.Wait()

	question := b.Await("message", "message.type", "question").Message()
	if answer.ReplyTo != question.ID || answer.From != b.ID() || answer.To != a.ID() || answer.Type != "answer" ||
		string(answer.Payload) != `{"n":42}` {
		t.Errorf("answer %+v to question %+v", answer, question)
	}
}

// TestRequestSkipsOtherMessages asks a deployed peer, which sends other messages first.
func TestRequestSkipsOtherMessages(t *testing.T) {
	t.Parallel()
	a := start(t)
	r := dialed(a, refpeer.Options{})
	r.prove()

	var answering sync.WaitGroup
	answering.Go(func() {
		question, err := r.RecvType(withTimeout(t), "get_stats")
		if err != nil {
			t.Errorf("the question did not arrive: %v", err)
			return
		}
		noise := question
		noise.ID = "something else"
		for _, err := range []error{
			r.Reply(noise, "stats", "an answer to something else"),
			r.Reply(question, "stats", map[string]string{"hash": "1 MH/s"}),
		} {
			if err != nil {
				t.Errorf("reference peer cannot answer: %v", err)
			}
		}
	})
	var answer refpeer.Envelope
	a.json(&answer, "request", r.self.ID[:8], "--type", "get_stats", "null")
	answering.Wait()
	if answer.Type != "stats" || answer.From != r.self.ID || string(answer.Payload) != `{"hash":"1 MH/s"}` {
		t.Errorf("answer %+v", answer)
	}
}

func TestRequestTimesOut(t *testing.T) {
	t.Parallel()
	a := start(t)
	r := dialed(a, refpeer.Options{})
	r.prove()
	res := a.run("request", r.self.ID, "anybody there?", "--timeout", "2s")
	res.want(t, 5)
	if strings.TrimSpace(res.stdout) != "" {
		t.Errorf("a request without an answer printed %q", res.stdout)
	}
	r.next("chat") // it got the request and did not answer
	r.requireOpen()
}

// pingResult is `node ping --output json`.
type pingResult struct {
	Peer                string
	Sent, Received      int
	MinMs, AvgMs, MaxMs float64
}

func TestPingReportsTheRoundTrip(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	deployed := dialed(a, refpeer.Options{Pong: true})
	deployed.prove()
	for _, id := range []string{b.ID(), deployed.self.ID} {
		var raw map[string]any
		r := a.run("ping", id, "--count", "3", "--interval", "10ms", "--output", "json")
		r.want(t, 0)
		r.decode(t, &raw)
		if gone := missing(raw, "peer", "sent", "received", "minMs", "avgMs", "maxMs"); len(gone) > 0 {
			t.Errorf("ping lacks %q: %s", gone, r.stdout)
		}
		var p pingResult
		r.decode(t, &p)
		if p.Peer != id || p.Sent != 3 || p.Received != 3 || p.MinMs < 0 || p.MinMs > p.AvgMs || p.AvgMs > p.MaxMs {
			t.Errorf("ping %+v, want peer %s, 3 of 3, 0 <= min <= avg <= max", p, id)
		}
	}
}

// TestPingWithoutPongFails pings a deployed peer that never answers pings; the protocol allows that.
func TestPingWithoutPongFails(t *testing.T) {
	t.Parallel()
	a := start(t)
	r := dialed(a, refpeer.Options{})
	r.prove()
	res := a.run("ping", r.self.ID, "--count", "1", "--timeout", "500ms", "--output", "json")
	res.want(t, 5)
	var p pingResult
	res.decode(t, &p)
	if p.Peer != r.self.ID || p.Sent != 1 || p.Received != 0 {
		t.Errorf("ping %+v, want 1 sent and none received", p)
	}
	r.requireOpen()
}
