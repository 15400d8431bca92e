package blackbox

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// disconnectPayload is the payload of a disconnect message.
type disconnectPayload struct {
	Reason string `json:"reason"`
	Code   int    `json:"code"`
}

func TestGracefulShutdownSendsDisconnects(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			a, b := pair(t)
			r := dialed(a, refpeer.Options{})
			r.prove()
			a.Signal(sig)
			if code := a.Wait(); code != 0 {
				a.Fatalf("%v: exit code %d, want 0", sig, code)
			}
			all := a.All()
			if last := all[len(all)-1]; last.Kind != "stopped" || last.Str("reason") == "" {
				t.Errorf("the last event is %s, want stopped with a reason", last.Line)
			}
			for _, id := range []string{b.ID(), r.self.ID} {
				if e := a.Await("peer_down", "peer", id); e.Num("code") != 1004 || e.Fields["remote"] != false {
					t.Errorf("the node that stops says %s, want code 1004, remote false", e.Line)
				}
			}
			if e := b.Await("peer_down", "peer", a.ID()); e.Num("code") != 1004 || e.Fields["remote"] != true {
				t.Errorf("its peer says %s, want code 1004, remote true", e.Line)
			}
			var bye disconnectPayload
			if err := json.Unmarshal(r.next(refpeer.TypeDisconnect).Payload, &bye); err != nil || bye.Code != 1004 ||
				bye.Reason == "" {
				t.Errorf("the deployed peer is told %+v (%v), want code 1004 and a reason", bye, err)
			}
			r.awaitEnd()
			in(t, a.Home(), "status").want(t, 3)
		})
	}
}

// TestTwoSignalsAtOnceStopOnce stops a node as `timeout` does, which signals the process and then its group.
func TestTwoSignalsAtOnceStopOnce(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.Signal(syscall.SIGTERM)
	a.Signal(syscall.SIGINT)
	if code := a.Wait(); code != 0 {
		a.Fatalf("two signals at once: exit code %d, want 0", code)
	}
	all := a.All()
	if last := all[len(all)-1]; last.Kind != "stopped" {
		t.Errorf("the last event is %s, want stopped", last.Line)
	}
	if e := b.Await("peer_down", "peer", a.ID()); e.Num("code") != 1004 {
		t.Errorf("its peer says %s, want code 1004", e.Line)
	}
}

// TestQueuedMessagesGoFirst stops a node with queued messages for a peer that does not read yet.
func TestQueuedMessagesGoFirst(t *testing.T) {
	t.Parallel()
	const count, size = 96, 64 << 10 // more than the operating system takes, less than the node's queue
	// On a loaded machine the peer takes longer than the default 5 s to open 6 MiB.
	a := start(t, "--stdin", "--shutdown-timeout", "25s", "--write-timeout", "1m")
	slow := dialed(a, refpeer.Options{Stall: true, RecvBuffer: 64 << 10})
	slow.prove()
	quick := dialed(a, refpeer.Options{CountOnly: true, CountSize: size})
	quick.prove()

	a.WriteLines(numbered(count, size, "")...)
	// A broadcast is queued for all peers at once: when the quick one has the last, it is in the queue of the slow one.
	if got, err := quick.AwaitFrames(withTimeout(t), count); err != nil {
		a.Fatalf("the quick peer has %d messages, want %d: %v", got, count, err)
	}
	if p := a.peerByID(slow.self.ID); p == nil || p.Queued == 0 {
		t.Errorf("nothing is queued for the slow peer: %+v", p)
	}
	a.Signal(syscall.SIGTERM)
	slow.Resume()
	expectNumbered(t, slow, count, size)
	var bye disconnectPayload
	if err := json.Unmarshal(slow.next(refpeer.TypeDisconnect).Payload, &bye); err != nil || bye.Code != 1004 {
		t.Errorf("after its messages the peer is told %+v (%v), want code 1004", bye, err)
	}
	if code := a.Wait(); code != 0 {
		a.Fatalf("exit code %d, want 0", code)
	}
}

// load is the payload of a numbered message.
type load struct {
	N    int    `json:"n"`
	Fill string `json:"fill"`
}

// numbered makes lines for --stdin: messages of type "load" with size bytes of payload, to a peer or as broadcasts.
func numbered(count, size int, to string) []string {
	lines := make([]string, count)
	for i := range lines {
		line := map[string]any{"type": "load", "payload": load{N: i, Fill: strings.Repeat("x", size)}}
		if to != "" {
			line["to"] = to
		}
		text, err := json.Marshal(line)
		if err != nil {
			panic(err) // a map of texts and numbers
		}
		lines[i] = string(text)
	}
	return lines
}

// expectNumbered receives numbered messages: all, in order, once.
func expectNumbered(t *testing.T, r *reference, count, size int) {
	t.Helper()
	for i := range count {
		got := r.next("load", refpeer.TypeDisconnect)
		var l load
		if err := json.Unmarshal(got.Payload, &l); err != nil || got.Type != "load" || l.N != i || len(l.Fill) != size {
			t.Fatalf("message %d arrived as type %s, number %d with %d bytes (%v)", i, got.Type, l.N, len(l.Fill), err)
		}
	}
}
