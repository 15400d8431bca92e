package nodetest

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// Background is a command of the node binary that runs beside the test. Its output is recorded.
type Background struct {
	t      testing.TB
	args   []string
	cmd    *exec.Cmd
	stdout *output
	stderr *output
	ended  chan struct{}
}

// StartCommand starts `node args`. A command that still runs at the end of the test is killed; one that crashes or
// races fails the test.
func StartCommand(t testing.TB, o ProcessOptions, args ...string) *Background {
	t.Helper()
	b := &Background{t: t, args: args, stdout: newOutput(), stderr: newOutput(), ended: make(chan struct{})}
	var err error
	if b.cmd, err = o.command(args); err == nil {
		b.cmd.Stdout, b.cmd.Stderr = b.stdout, b.stderr
		err = b.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(b.ended)
		_ = b.cmd.Wait() // Wait reads the exit code from ProcessState
	}()
	t.Cleanup(func() {
		_ = b.cmd.Process.Kill() // fails if it has ended
		<-b.ended
		if text, _ := b.stderr.read(); crash.MatchString(text) {
			t.Errorf("node %q crashed or raced:\n%s", args, Tail(text))
		}
	})
	return b
}

// Await waits until the standard output matches, and returns the match and its groups.
func (b *Background) Await(form *regexp.Regexp) []string {
	b.t.Helper()
	timeout := time.NewTimer(Patience)
	defer timeout.Stop()
	for {
		text, more := b.stdout.read()
		if found := form.FindStringSubmatch(text); found != nil {
			return found
		}
		select {
		case <-more:
		case <-b.ended:
			if text, _ = b.stdout.read(); form.MatchString(text) {
				continue
			}
			b.fail("it ended without output of the form " + form.String())
		case <-timeout.C:
			b.fail("no output of the form " + form.String())
		}
	}
}

// Stdout returns the standard output so far.
func (b *Background) Stdout() string {
	text, _ := b.stdout.read()
	return text
}

// Signal sends a signal.
func (b *Background) Signal(s os.Signal) {
	b.t.Helper()
	if err := b.cmd.Process.Signal(s); err != nil {
		b.t.Fatal(err)
	}
}

// Wait waits for the end and returns the outcome.
func (b *Background) Wait() Result {
	b.t.Helper()
	select {
	case <-b.ended:
	case <-time.After(Patience):
		b.fail("it does not end")
	}
	stdout, _ := b.stdout.read()
	stderr, _ := b.stderr.read()
	return Result{Args: b.args, Stdout: stdout, Stderr: stderr, Code: b.cmd.ProcessState.ExitCode()}
}

func (b *Background) fail(why string) {
	b.t.Helper()
	stdout, _ := b.stdout.read()
	stderr, _ := b.stderr.read()
	b.t.Fatalf("node %q: %s\nstandard output:\n%s\nstandard error:\n%s", b.args, why, Tail(stdout), Tail(stderr))
}
