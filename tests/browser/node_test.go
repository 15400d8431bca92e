package browser

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for one thing. It is only met by something that never happens.
const patience = 30 * time.Second

// node is a running `node run`.
type node struct {
	t       *testing.T
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	events  chan map[string]any
	first   map[string]any // the event listening
	ended   chan struct{}
	stopped bool
}

// home makes a data directory. Its path is short, since the path of a Unix socket has at most 107 bytes.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "br")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// run starts a node and returns once it listens.
func run(t *testing.T, dir, name string, args ...string) *node {
	t.Helper()
	all := append([]string{
		"run", "--stdin", "--output", "json", "--data-dir", filepath.Join(dir, "data"), "--name", name, "--ping-interval", "1s",
	}, args...)
	n := &node{t: t, cmd: exec.Command(tools.node, all...), events: make(chan map[string]any, 1<<16), ended: make(chan struct{})}
	n.cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	n.cmd.Stderr = os.Stderr
	var err error
	if n.stdin, err = n.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go n.read(out)
	t.Cleanup(n.stop)
	n.first = n.next("listening")
	return n
}

// read passes events on; those that nobody takes are dropped.
func (n *node) read(out io.Reader) {
	defer close(n.ended)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var e map[string]any
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		select {
		case n.events <- e:
		default:
		}
	}
	_ = n.cmd.Wait()
}

// next returns the next event of a kind.
func (n *node) next(kind string) map[string]any {
	n.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-n.events:
			if e["event"] == kind {
				return e
			}
		case <-n.ended:
			n.t.Fatalf("the node ended without %s", kind)
		case <-deadline:
			n.t.Fatalf("no event %s", kind)
		}
	}
}

func (n *node) str(key string) string { return n.first[key].(string) }

// send sends a chat message: to everybody when peer is empty.
func (n *node) send(peer, text string) {
	to := ""
	if peer != "" {
		to = fmt.Sprintf(`"to":%q,`, peer)
	}
	_, _ = fmt.Fprintf(n.stdin, `{%s"payload":%q}`+"\n", to, text) // a node that is gone shows in its events
}

// stop ends the node gracefully, kill at once. Each may be called again.
func (n *node) stop() { n.end(syscall.SIGTERM) }
func (n *node) kill() { n.end(syscall.SIGKILL) }

func (n *node) end(signal os.Signal) {
	if n.stopped {
		return
	}
	n.stopped = true
	_ = n.cmd.Process.Signal(signal)
	select {
	case <-n.ended:
	case <-time.After(patience):
		_ = n.cmd.Process.Kill()
		n.t.Error("the node did not end")
	}
}
