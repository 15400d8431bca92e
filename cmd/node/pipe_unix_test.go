//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// toClosedPipe starts the program with a standard output that is a closed pipe.
func toClosedPipe(t *testing.T, dir string, args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	stderr = &bytes.Buffer{}
	cmd = exec.Command(self, append(args, "--data-dir", dir)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), asBinary+"=1"), w, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stderr
}

// exitCode waits for a program and returns its exit code, -1 after a signal.
func exitCode(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// A reader that closes standard output ends every command in one way: exit 1, no signal, no line of error. Only `node
// run` explains why the node has stopped.
func TestClosedPipeEndsEveryCommandQuietly(t *testing.T) {
	alice := startNode(t, "alice")
	for _, line := range []string{
		"status", "peers", "peers --output json", "peers --watch", "config --running", "auth", "allowlist", "pending",
		"broadcast x", "id", "version", "report -", "help run", "--help", "completion bash", "watch --timeout 1ms",
	} {
		cmd, stderr := toClosedPipe(t, alice.dir, strings.Fields(line)...)
		code, want := exitCode(t, cmd), 1
		if strings.HasPrefix(line, "watch") { // nothing was written: the timeout decides
			want = exitTimeout
			stderr.Reset()
		}
		if code != want || stderr.Len() > 0 {
			t.Errorf("node %s | true: exit code %d, %q", line, code, stderr)
		}
	}
	cmd, stderr := toClosedPipe(t, alice.dir, "watch")
	ended := make(chan int, 1)
	go func() { ended <- exitCode(t, cmd) }()
	bob := startNode(t, "bob")
	bob.ok("connect", alice.first["url"].(string))
	alice.next("peer_verified")
	for running := true; running; {
		select {
		case code := <-ended:
			if running = false; code != 1 || stderr.Len() > 0 {
				t.Errorf("node watch | true: exit code %d, %q", code, stderr)
			}
		default:
			bob.ok("send", "alice", "x")
			alice.next("message") // else the node waits for the reader of its events
		}
	}
	alice.stop()
	bob.stop()
	cmd, stderr = toClosedPipe(t, t.TempDir(), "run", "--listen", "127.0.0.1:0", "--admin", "")
	if code := exitCode(t, cmd); code != 1 || !strings.Contains(stderr.String(), "\nnode: "+errOutput.Error()) &&
		!strings.HasPrefix(stderr.String(), "node: "+errOutput.Error()) {
		t.Errorf("node run | true: exit code %d, %q", code, stderr)
	}
}
