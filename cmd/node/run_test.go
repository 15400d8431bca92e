package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// running is a node in the process of the test.
type running struct {
	t       *testing.T
	dir     string
	signals chan os.Signal
	lines   *bufio.Scanner
	stdin   *io.PipeWriter
	status  chan int
	first   map[string]any
}

// startNode starts `node run` on a new directory and returns once it listens.
func startNode(t *testing.T, name string, args ...string) *running {
	t.Helper()
	out, stdout := io.Pipe()
	stdin, in := io.Pipe()
	r := &running{
		t: t, dir: filepath.Join(t.TempDir(), name), signals: make(chan os.Signal, 2),
		lines: bufio.NewScanner(out), stdin: in, status: make(chan int, 1),
	}
	a := &app{
		stdin: stdin, stdout: stdout, stderr: &lockedWriter{w: io.Discard}, now: time.Now,
		dataDir: r.dir, hostName: "host",
		signals: func() (<-chan os.Signal, func()) { return r.signals, func() {} },
	}
	go func() {
		line := []string{"run", "--name", name, "--listen", "127.0.0.1:0", "--admin", "", "--output", "json"}
		status := a.run(append(line, args...))
		stdout.Close()
		stdin.Close()
		r.status <- status
	}()
	r.first = r.next("listening")
	return r
}

// next reads events up to the wanted one.
func (r *running) next(event string) map[string]any {
	r.t.Helper()
	for r.lines.Scan() {
		var e map[string]any
		if err := json.Unmarshal(r.lines.Bytes(), &e); err != nil {
			r.t.Fatalf("%s: %v", r.lines.Text(), err)
		}
		if e["event"] == event {
			return e
		}
	}
	r.t.Fatalf("the node ended without the event %s", event)
	return nil
}

// stop ends the node and checks how it ends.
func (r *running) stop() {
	r.t.Helper()
	r.signals <- syscall.SIGTERM
	if e := r.next("stopped"); e["reason"] != "SIGTERM" {
		r.t.Errorf("stopped: %v", e)
	}
	if r.lines.Scan() {
		r.t.Errorf("after the last line: %s", r.lines.Text())
	}
	if status := <-r.status; status != 0 {
		r.t.Errorf("exit status %d", status)
	}
	if _, err := os.Lstat(filepath.Join(r.dir, "control.sock")); err == nil {
		r.t.Error("the control socket is still there")
	}
}

// ok runs a command against the node that must succeed.
func (r *running) ok(args ...string) string {
	r.t.Helper()
	status, stdout, stderr := command(r.dir, args...)
	if status != 0 || stderr != "" {
		r.t.Errorf("node %s: status %d, %s", strings.Join(args, " "), status, stderr)
	}
	return stdout
}

func TestTwoNodesExchangeMessages(t *testing.T) {
	alice, bob := startNode(t, "alice"), startNode(t, "bob", "--stdin")
	bob.ok("connect", alice.first["url"].(string))
	bob.next("peer_up")
	alice.next("peer_verified")

	id := strings.TrimSpace(alice.ok("send", "bob", "hello"))
	received := bob.next("message")["message"].(map[string]any)
	if received["id"] != id || received["payload"] != "hello" || received["type"] != "chat" ||
		received["from"] != alice.first["id"] {
		t.Errorf("message %v", received)
	}
	reply := `{"to":"alice","type":"stats","payload":{"n":1},"replyTo":"` + id + `"}` + "\n"
	if _, err := io.WriteString(bob.stdin, reply); err != nil {
		t.Fatal(err)
	}
	answer := alice.next("message")
	if m := answer["message"].(map[string]any); answer["peer"] != bob.first["id"] || m["replyTo"] != id {
		t.Errorf("answer %v", answer)
	}
	var sent struct {
		Sent   int
		Failed []any
	}
	err := json.Unmarshal([]byte(alice.ok("broadcast", "x", "--output", "json")), &sent)
	if err != nil || sent.Sent != 1 || sent.Failed == nil {
		t.Errorf("broadcast: %+v, %v", sent, err)
	}
	var ping pingResult
	text := alice.ok("ping", bob.first["id"].(string)[:8], "--count", "2", "--interval", "1ms", "--output", "json")
	err = json.Unmarshal([]byte(text), &ping)
	if err != nil || ping.Peer != bob.first["id"] || ping.Received != 2 || ping.MinMs <= 0 {
		t.Errorf("ping: %s", text)
	}
	for _, args := range [][]string{{"status"}, {"peers"}, {"auth"}} {
		alice.ok(args...)
		if text := alice.ok(append(args, "--output", "json")...); !json.Valid([]byte(text)) {
			t.Errorf("node %v: %s", args, text)
		}
	}
	alice.ok("revoke", bob.first["publicKey"].(string))
	if e := bob.next("peer_down"); e["remote"] != true {
		t.Errorf("peer_down %v", e)
	}
	alice.stop()
	bob.stop()
}

func TestFailedCommandsExitWithTheirStatus(t *testing.T) {
	node := startNode(t, "alice", "--rate-refill", "0")
	defer node.stop()
	for _, c := range []struct {
		line string
		want int
	}{
		{"send stranger x", exitNotConnected},
		{"request stranger x", exitNotConnected},
		{"ping stranger", exitNotConnected},
		{"disconnect stranger", exitNotConnected},
		{"connect 127.0.0.1:1", exitNotConnected},
		{"send bob x --type handshake", exitNotConnected},
		{"broadcast x --type handshake", exitUsage},
		{"run --listen 127.0.0.1:0", exitFailed},
		{"top", exitUsage},
		{"top --output json", exitUsage},
	} {
		status, stdout, stderr := command(node.dir, strings.Fields(c.line)...)
		if status != c.want || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("node %s: status %d, want %d, %q, %q", c.line, status, c.want, stdout, stderr)
		}
	}
}

// A mode set by command applies to later starts; a configured mode applies to its run only.
func TestAuthModeIsStored(t *testing.T) {
	node := startNode(t, "alice", "--auth", "open")
	source := func() string {
		var c configuration
		if err := json.Unmarshal([]byte(node.ok("config", "--output", "json")), &c); err != nil {
			t.Fatal(err)
		}
		for _, v := range c.Settings {
			if v.Name == "auth" {
				return v.Value + " from " + string(v.Source)
			}
		}
		return ""
	}
	if got := source(); got != "open from default" {
		t.Errorf("at first: %s", got)
	}
	node.ok("allow", "xgIcSXQ0VEqDqmeVSVsNswK46Eb+AU6kZZmnrLZYnTA=") // else the change warns
	node.ok("auth", "allowlist")
	if got := source(); got != "allowlist from peer book" {
		t.Errorf("while it runs: %s", got)
	}
	node.stop()
	if got := source(); got != "allowlist from peer book" {
		t.Errorf("afterwards: %s", got)
	}
}

func TestNodeRunsWithoutListening(t *testing.T) {
	node := startNode(t, "alice", "--listen", "")
	if node.first["address"] != "" || node.first["url"] != "" || node.first["admin"] != "" {
		t.Errorf("listening %v", node.first)
	}
	node.stop()
}

// A closed standard output stops the node gracefully at its next event.
func TestClosedOutputStopsTheNode(t *testing.T) {
	var complaints strings.Builder
	a := &app{
		stdin: strings.NewReader(""), stdout: &failingWriter{left: 1}, stderr: &lockedWriter{w: &complaints}, now: time.Now,
		dataDir: t.TempDir(), hostName: "host", signals: func() (<-chan os.Signal, func()) { return nil, func() {} },
	}
	status := a.run([]string{"run", "--listen", "", "--peer", "127.0.0.1:1", "--log-level", "error"})
	if status != exitFailed || !strings.Contains(complaints.String(), "standard output is closed") {
		t.Errorf("status %d, %s", status, complaints.String())
	}
}

// stuckWriter accepts one write, closes stuck at the second and blocks it until release.
type stuckWriter struct {
	writes  int
	stuck   chan struct{}
	release chan struct{}
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	if w.writes++; w.writes == 2 {
		close(w.stuck)
		<-w.release
	}
	return len(p), nil
}

// A second signal within sameSignal is ignored; a later one exits immediately. The last event blocks the stop here.
func TestSecondSignalExits(t *testing.T) {
	out := &stuckWriter{stuck: make(chan struct{}), release: make(chan struct{})}
	defer close(out.release)
	signals := make(chan os.Signal, 1) // the second one follows the first without a wait for the scheduler
	a := &app{
		stdin: strings.NewReader(""), stdout: out, stderr: io.Discard, now: time.Now,
		dataDir: t.TempDir(), hostName: "host",
		signals: func() (<-chan os.Signal, func()) { return signals, func() {} },
	}
	status := make(chan int)
	go func() { status <- a.run([]string{"run", "--listen", ""}) }()
	signals <- syscall.SIGTERM
	signals <- syscall.SIGTERM // at once: the stop may take longer than sameSignal
	<-out.stuck
	select {
	case got := <-status:
		t.Fatalf("exit status %d at once", got)
	case <-time.After(sameSignal):
	}
	signals <- syscall.SIGTERM
	if got := <-status; got != exitFailed {
		t.Errorf("exit status %d", got)
	}
}

// A peer that accepts the TCP connection but does not answer is a timeout, whether the timeout of the dial, of the
// handshake or of the command ends first.
func TestConnectToASilentPeerTimesOut(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	node := startNode(t, "alice", "--handshake-timeout", "50ms")
	defer node.stop()
	for i := range 20 {
		scheme := []string{"ws://", "wss://"}[i%2]
		status, _, stderr := command(node.dir, "connect", scheme+silent.Addr().String())
		if status != exitTimeout || !strings.Contains(stderr, "the handshake timed out") ||
			strings.Contains(stderr, "closed network") {
			t.Errorf("status %d, want %d: %s", status, exitTimeout, stderr)
		}
	}
	status, _, stderr := command(node.dir, "connect", silent.Addr().String(), "--timeout", "10ms")
	if status != exitTimeout {
		t.Errorf("status %d, want %d: %s", status, exitTimeout, stderr)
	}
}
