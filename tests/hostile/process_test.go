package hostile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/refpeer"
)

// process is a running node binary. Its events are read and, but for the first, thrown away.
type process struct {
	t       *testing.T
	home    string
	hello   struct{ ID, URL, Address string }
	command *exec.Cmd
	stdin   io.WriteCloser
	ended   chan struct{}

	verified atomic.Int64 // events of verified peers that it has printed

	mu     sync.Mutex
	stderr bytes.Buffer
}

// newHome makes a data directory with a short path, since that of a Unix socket has a limit.
func newHome(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hp")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// bookOf is where the peer book of a home is.
func bookOf(home string) string { return filepath.Join(home, "peers.db") }

// node prepares the node binary with arguments, on a data directory.
func nodeCommand(t *testing.T, home string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	must(t, err)
	cmd := exec.Command(path, append(args, "--data-dir", home)...)
	cmd.Env = []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "PATH=" + os.Getenv("PATH")}
	return cmd
}

// launch runs a node until the test ends, and waits until it listens.
func launch(t *testing.T, home string, args ...string) *process {
	t.Helper()
	args = append([]string{"run", "--output", "json", "--listen", "127.0.0.1:0", "--admin", ""}, args...)
	p := &process{t: t, home: home, command: nodeCommand(t, home, args...), ended: make(chan struct{})}
	p.command.Stderr = writer(func(b []byte) (int, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.stderr.Write(b)
	})
	stdout, err := p.command.StdoutPipe()
	must(t, err)
	p.stdin, err = p.command.StdinPipe()
	must(t, err)
	must(t, p.command.Start())
	t.Cleanup(p.kill)
	events := bufio.NewReader(stdout)
	line, err := events.ReadString('\n')
	go func() {
		for lines := bufio.NewScanner(events); lines.Scan(); {
			if strings.Contains(lines.Text(), `"event":"peer_verified"`) {
				p.verified.Add(1)
			}
		}
		_, _ = io.Copy(io.Discard, events)
		_ = p.command.Wait() // the exit code is in ProcessState
		close(p.ended)
	}()
	if err == nil {
		err = json.Unmarshal([]byte(line), &p.hello)
	}
	if err != nil {
		<-p.ended
		t.Fatalf("the node does not start: %v\n%s", err, p.log())
	}
	return p
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// awaitVerified waits until so many events of verified peers were printed.
func (p *process) awaitVerified(peers int) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); p.verified.Load() < int64(peers); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%d peers are verified, want %d", p.verified.Load(), peers)
		}
	}
}

// kill is kill -9, and waits for the end.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// wait waits for the process to end by itself and returns its exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("the node has not ended within %v:\n%s", patience, p.log())
	}
	return p.command.ProcessState.ExitCode()
}

// log is what the node has written to standard error.
func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// run runs a command against the node of a home and returns its exit code and what it says on standard error.
func run(t *testing.T, home string, args ...string) (code int, stderr string) {
	t.Helper()
	cmd := nodeCommand(t, home, args...)
	var text strings.Builder
	cmd.Stderr = &text
	err := cmd.Start()
	if err == nil {
		timeout := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer timeout.Stop()
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Errorf("node %q: %v", args, err)
		return -1, ""
	}
	return cmd.ProcessState.ExitCode(), text.String()
}

// memory reads a line of the process's status file: VmRSS (now) or VmHWM (the peak), in bytes.
func (p *process) memory(name string) int {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	must(p.t, err)
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			must(p.t, err)
			return kib << 10
		}
	}
	p.t.Fatalf("no %s in the process's status", name)
	return 0
}

// forgetPeak starts the measuring of the peak anew.
func (p *process) forgetPeak() {
	p.t.Helper()
	must(p.t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.command.Process.Pid), []byte("5"), 0))
}

// connect connects a reference peer to the node.
func (p *process) connect(o refpeer.Options) *refpeer.Conn {
	p.t.Helper()
	if o.Identity == nil {
		o.Identity = identity(p.t, "honest")
	}
	conn, err := refpeer.Dial(withTimeout(p.t), p.hello.URL, o)
	must(p.t, err)
	p.t.Cleanup(conn.Close)
	return conn
}

// roundTrip pings the node and waits for the answer: what was sent before has been judged.
func (p *process) roundTrip(c *refpeer.Conn) {
	p.t.Helper()
	id, err := c.Send(refpeer.TypePing, p.hello.ID, map[string]int{"sentAt": 1})
	must(p.t, err)
	for {
		e, err := c.RecvType(withTimeout(p.t), refpeer.TypePong)
		if err != nil {
			p.t.Fatalf("no answer to a ping: %v\n%s", err, p.log())
		}
		if e.ReplyTo == id {
			return
		}
	}
}
