package blackbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// node is one running `node run`. Everything that it says is kept until the end of the test.
type node struct {
	t     *testing.T
	home  string // stands for $HOME; the data directory is in it
	data  string
	hello event // the first event, "listening"

	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr *record
	ended  chan struct{} // closed when the process has been waited for and its output read

	mu     sync.Mutex
	events []event
	more   chan struct{} // closed and replaced with every event, closed for good at the end
}

// record collects what a process writes to one of its outputs.
type record struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{} // closed and replaced with every write
}

func newRecord() *record { return &record{more: make(chan struct{})} }

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.more)
	r.more = make(chan struct{})
	return r.buf.Write(p)
}

// read returns all that was written so far, and a channel that is closed by the next write.
func (r *record) read() (string, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String(), r.more
}

func (r *record) String() string { s, _ := r.read(); return s }

// crash finds what no process under test may ever print.
var crash = regexp.MustCompile(`(?m)^(WARNING: DATA RACE|panic: |fatal error: )`)

// environment is what every process under test sees: nothing of the developer's own settings.
func environment(home string, extra ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"XDG_DATA_HOME=" + filepath.Join(home, "share"),
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"),
		"TERM=dumb",
		// The race detector sleeps a second at every exit, for reports of threads that still run; most tests start
		// many commands, and a race is reported when it is met.
		"GORACE=atexit_sleep_ms=0",
	}, extra...)
}

// newHome makes a home directory. Its path is short, because a Unix socket's path has at most 107 bytes.
func newHome(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bb")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// start runs a node with a home of its own on a free loopback port and waits until it listens.
func start(t *testing.T, args ...string) *node {
	t.Helper()
	return startIn(t, newHome(t), args...)
}

// startIn runs a node in a home that another may have used before. A flag in args wins over the defaults here.
func startIn(t *testing.T, home string, args ...string) *node {
	t.Helper()
	return startEnv(t, home, nil, args...)
}

// startLimited runs a node that may have at most so many file descriptors open.
func startLimited(t *testing.T, descriptors int, args ...string) *node {
	t.Helper()
	limit := []string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, descriptors)}
	return startUnder(t, newHome(t), limit, nil, args...)
}

// startEnv is startIn with further environment variables ("NAME=value").
func startEnv(t *testing.T, home string, env []string, args ...string) *node {
	t.Helper()
	return startUnder(t, home, nil, env, args...)
}

// startUnder is startEnv by a command that executes the node.
func startUnder(t *testing.T, home string, by, env []string, args ...string) *node {
	t.Helper()
	data := filepath.Join(home, "data")
	all := []string{"run", "--output", "json", "--data-dir", data}
	for flag, value := range map[string]string{"--listen": "127.0.0.1:0", "--admin": ""} {
		if !slices.Contains(args, flag) {
			all = append(all, flag, value)
		}
	}
	n := &node{
		t: t, home: home, data: data,
		stderr: newRecord(),
		ended:  make(chan struct{}),
		more:   make(chan struct{}),
	}
	line := slices.Concat(by, []string{nodeBinary}, all, args)
	n.cmd = exec.Command(line[0], line[1:]...)
	n.cmd.Env = environment(home, env...)
	n.cmd.Stderr = n.stderr
	stdout, err := n.cmd.StdoutPipe()
	if err == nil {
		n.stdin, err = n.cmd.StdinPipe()
	}
	if err == nil {
		err = n.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go n.follow(stdout)
	t.Cleanup(n.finish)
	n.hello = n.await("listening")
	return n
}

// follow reads the events until the process closes its output, then waits for its end.
func (n *node) follow(stdout io.Reader) {
	lines := bufio.NewReaderSize(stdout, 64<<10)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // half a line is what kill -9 may leave
		}
		n.add(parseEvent(line))
	}
	n.cmd.Wait() // its error is the exit code, which wait reads from ProcessState
	close(n.ended)
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.more)
}

func (n *node) add(e event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.events = append(n.events, e)
	close(n.more)
	n.more = make(chan struct{})
}

// finish ends the process if it still runs and holds it to never having crashed or raced.
func (n *node) finish() {
	n.kill()
	if where := crash.FindStringIndex(n.stderr.String()); where != nil {
		n.t.Errorf("node %s crashed or raced:\n%s", n.name(), head(n.stderr.String()[where[0]:]))
	}
	for _, e := range n.all() {
		if e.fault != nil {
			n.t.Errorf("node %s wrote a line that is no event: %v", n.name(), e.fault)
		}
	}
}

// kill is kill -9, and waits for the end.
func (n *node) kill() {
	n.cmd.Process.Kill()
	<-n.ended
}

// signal sends a signal and does not wait.
func (n *node) signal(sig syscall.Signal) {
	n.t.Helper()
	if err := n.cmd.Process.Signal(sig); err != nil {
		n.t.Fatalf("signal to %s: %v", n.name(), err)
	}
}

// wait waits for the process to end by itself and returns its exit code.
func (n *node) wait() int {
	n.t.Helper()
	select {
	case <-n.ended:
		return n.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		n.fatalf("has not ended after %v", patience)
		return 0
	}
}

// stop ends the process gracefully and requires exit code 0.
func (n *node) stop() {
	n.t.Helper()
	n.signal(syscall.SIGTERM)
	if code := n.wait(); code != 0 {
		n.fatalf("SIGTERM: exit code %d, want 0", code)
	}
}

// write writes lines to the node's standard input.
func (n *node) write(lines ...string) {
	n.t.Helper()
	// A node that reads no more would block the pipe, and with it this test, for ever.
	stuck := time.AfterFunc(2*patience, func() { n.cmd.Process.Kill() })
	defer stuck.Stop()
	if _, err := io.WriteString(n.stdin, strings.Join(lines, "\n")+"\n"); err != nil {
		n.fatalf("standard input: %v", err)
	}
}

func (n *node) id() string      { return n.hello.str("id") }
func (n *node) address() string { return n.hello.str("address") }
func (n *node) url() string     { return n.hello.str("url") }
func (n *node) name() string {
	return fmt.Sprintf("%q (pid %d)", n.hello.str("name"), n.cmd.Process.Pid)
}

// fatalf fails the test with the last that the process had to say.
func (n *node) fatalf(format string, args ...any) {
	n.t.Helper()
	var events strings.Builder
	all := n.all()
	for _, e := range all[max(0, len(all)-20):] {
		events.WriteString(head(e.line))
	}
	n.t.Fatalf("node %s: %s\n%d events, the last:\n%s\nstandard error:\n%s",
		n.name(), fmt.Sprintf(format, args...), len(all), events.String(), tail(n.stderr.String()))
}

// errExited ends a wait for something that the process can no longer do.
var errExited = errors.New("the process has ended")

func tail(s string) string { return s[max(0, len(s)-tailBytes):] }
func head(s string) string { return s[:min(len(s), tailBytes)] }
