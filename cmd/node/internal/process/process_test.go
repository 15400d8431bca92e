//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func run(ctx context.Context, script, stdin string) (string, string, error) {
	var stderr bytes.Buffer
	c := Command{
		Args: []string{"sh", "-c", script}, Env: append(os.Environ(), "X=7"), Stdin: []byte(stdin), Stderr: &stderr,
		MaxOutput: 1000,
	}
	out, err := c.Run(ctx)
	return string(out), stderr.String(), err
}

func TestRunReturnsTheOutputOrTheReason(t *testing.T) {
	for _, c := range []struct {
		script, stdin, out, err, stderr string
	}{
		{script: "cat; echo $X", stdin: "in", out: "in7\n"},
		{script: "true", stdin: strings.Repeat("never read", 100_000)},
		{script: "exit 3", err: "exit status 3"},
		{script: "echo one >&2; echo two >&2; echo >&2; exit 1", err: "exit status 1: two", stderr: "one\ntwo\n\n"},
		{script: "kill -9 $$", err: "signal: killed"},
		{script: "head -c 2000 /dev/zero", err: "too much output"},
	} {
		out, stderr, err := run(t.Context(), c.script, c.stdin)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if out != c.out || text != c.err || stderr != c.stderr {
			t.Errorf("%s: %q, %q, %q", c.script, out, text, stderr)
		}
	}
}

func TestLongReasonsAreCut(t *testing.T) {
	_, _, err := run(t.Context(), "printf '%0900d\\303\\244' 0 >&2; exit 1", "")
	if err == nil || len(err.Error()) > len("exit status 1: ")+maxReason {
		t.Errorf("%v", err)
	}
}

// A command that ends leaves no child behind, or each message of a peer would add one.
func TestRunKillsTheChildrenThatAreLeft(t *testing.T) {
	out, _, err := run(t.Context(), `sleep 1000 >/dev/null 2>&1 & echo $!`, "")
	pid, bad := strconv.Atoi(strings.TrimSpace(out))
	if err != nil || bad != nil {
		t.Fatalf("%q, %v, %v", out, err, bad)
	}
	awaitEnd(t, pid)
}

// The end of the context kills the command and its children.
func TestTimeoutKillsTheChildren(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "child")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, _, err := run(ctx, `sh -c 'echo $$ > "$0"; sleep 1000' "`+fifo+`"; true`, "")
		ended <- err
	}()
	text, err := os.ReadFile(fifo)
	if err != nil || len(text) < 2 {
		t.Fatalf("%q, %v", text, err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, ErrTimeout) {
		t.Errorf("got %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, pid)
}

func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil && !zombie(pid); {
		if time.Now().After(deadline) {
			t.Fatal("the child lives")
		}
		time.Sleep(time.Millisecond)
	}
}

// zombie reports whether a killed process waits for its parent, which in a container may never ask.
func zombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}
