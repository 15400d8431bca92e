//go:build unix

package blackbox

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// TestUnhandledRequestIsAnsweredWithNotFound for each deployed request type, and only for requests to this node.
func TestUnhandledRequestIsAnsweredWithNotFound(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	for _, kind := range []string{"get_stats", "get_logs", "start_miner", "stop_miner", "deploy"} {
		r := b.run("request", a.ID(), "null", "--type", kind)
		if r.want(t, 1); r.stdout != "" || r.stderr != "node: request to "+a.ID()+": the peer answers with error 1003 "+
			`(not found): "this node does not handle messages of this type"`+"\n" {
			t.Errorf("%s: %q, %q", kind, r.stdout, r.stderr)
		}
	}
	b.run("request", a.ID(), "null", "--type", "get_weather", "--timeout", "300ms").want(t, 5)
	b.ok("broadcast", "null", "--type", "get_stats")
	b.ok("send", a.ID(), "null", "--type", "get_stats", "--reply-to", "x")
	b.ok("send", a.ID(), "null", "--type", "last")
	a.Await("message", "message.type", "last")
	a.ok("send", b.ID(), "null", "--type", "last")
	b.Await("message", "message.type", "last")
	if got := b.Messages("error"); len(got) != 5 {
		t.Errorf("%d errors arrived, want 5: %+v", len(got), got)
	}
}

// TestDeployedControllerGetsNotFound: the reference peer stands for a deployed controller. A request that it delivers
// in the name of another node is not answered.
func TestDeployedControllerGetsNotFound(t *testing.T) {
	t.Parallel()
	a := start(t)
	r := dialed(a, refpeer.Options{})
	r.prove()
	forwarded := r.envelope("get_logs", nil)
	forwarded.From = identity(t, "another").ID
	r.sendEnvelope(forwarded)
	a.Await("message", "message.id", forwarded.ID)
	id := r.say("get_stats", nil)
	answer := r.next("error")
	var payload struct {
		Code    int
		Message string
	}
	if err := json.Unmarshal(answer.Payload, &payload); err != nil || payload.Code != 1003 || answer.ReplyTo != id ||
		answer.To != r.self.ID {
		t.Errorf("answer %+v (%v)", answer, err)
	}
}

// TestRequestsAreLeftToPrograms: with --stdin, a watcher or a handler the node itself does not answer.
func TestRequestsAreLeftToPrograms(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	w := watching(t, a, b)
	b.run("request", a.ID(), "null", "--type", "get_stats", "--timeout", "300ms").want(t, 5)
	w.Signal(syscall.SIGTERM)
	w.Wait()
	for {
		r := b.run("request", a.ID(), "null", "--type", "get_stats", "--timeout", "1s")
		if strings.Contains(r.stderr, "error 1003") {
			break
		}
		r.want(t, 5) // the node has not noticed the end of the watcher
	}
	other := handling(t, a, b, "other", "--", "true")
	r := b.run("request", a.ID(), "null", "--type", "get_stats")
	r.want(t, 1)
	r.says(t, "error 1003")
	other.Signal(syscall.SIGTERM)
	other.Wait()
	c := start(t, "--stdin", "--peer", b.Address())
	meet(b, c)
	b.run("request", c.ID(), "null", "--type", "get_stats", "--timeout", "300ms").want(t, 5)
}

func TestBroadcastToARole(t *testing.T) {
	t.Parallel()
	a := start(t)
	worker := start(t, "--role", "worker", "--peer", a.Address())
	dual := start(t, "--peer", a.Address())
	meet(a, worker)
	meet(a, dual)
	var sent struct{ Sent int }
	a.json(&sent, "broadcast", "x", "--role", "worker", "--type", "news")
	if sent.Sent != 1 {
		t.Errorf("sent to %d peers, want 1", sent.Sent)
	}
	worker.Await("message", "message.type", "news")
	a.ok("broadcast", "x", "--type", "last")
	dual.Await("message", "message.type", "last")
	if got := dual.Messages("news"); len(got) != 0 {
		t.Errorf("the other role got %+v", got)
	}
	bad := a.run("broadcast", "x", "--role", "king")
	bad.want(t, 2)
	bad.says(t, "--role king: must be controller, worker or dual")
}
