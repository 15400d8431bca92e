package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/cmd/node/internal/bench"
	"github.com/Snider/go-p2p/supervisor"
)

func TestBenchReportsPairAndTarget(t *testing.T) {
	node := startNode(t, "alice", "--rate-burst", "10", "--rate-refill", "1")
	defer node.stop()
	for _, c := range []struct {
		line    string
		limited bool // expect drops by the rate limit, which a session does not cause: its records wait
		pair    bool
	}{
		{"bench --duration 200ms --size 100 --rate 500", false, true},
		{"bench --duration 2s --size 100 --limited", true, true},
		{"bench " + node.first["address"].(string) + " --duration 200ms --size 100 --rate 500", false, false},
	} {
		var r bench.Result
		if err := json.Unmarshal([]byte(node.ok(append(strings.Fields(c.line), "--output", "json")...)), &r); err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		dropped := r.Drops["messagesRateLimited"] > 0
		if r.Sent == 0 || c.pair && dropped != c.limited || (r.Delivered != nil) != c.pair {
			t.Errorf("%s: %+v", c.line, r)
		}
	}
	text := node.ok("bench", "--duration", "100ms")
	if !strings.Contains(text, "latency    one way: p50") || strings.Contains(text, "\r") {
		t.Errorf("text %s", text)
	}
	status, stdout, stderr := command(node.dir, "bench", "127.0.0.1:1")
	if status != exitNotConnected || stdout != "" || strings.Count(stderr, "\n") != 1 ||
		!strings.Contains(stderr, "check the address") {
		t.Errorf("unreachable: status %d, %q, %q", status, stdout, stderr)
	}
}

// A target that accepts the connection but does not answer has not refused it.
func TestBenchFailureSeparatesTimeoutFromRefusal(t *testing.T) {
	for err, want := range map[error]int{
		supervisor.ErrHandshakeTimeout: exitTimeout,
		syscall.ECONNREFUSED:           exitNotConnected,
	} {
		if got := exitStatus(benchFailure(&supervisor.PeerError{Peer: "host:1", Err: err})); got != want {
			t.Errorf("%v: exit status %d, want %d", err, got, want)
		}
	}
}
