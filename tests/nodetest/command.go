package nodetest

import (
	"errors"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Result is the outcome of a command that has ended.
type Result struct {
	Args           []string
	Stdout, Stderr string
	Code           int // exit code, -1 after a signal
}

// RunCommand runs `node args` to its end and returns the outcome. A command that takes longer than Patience, crashes or
// races fails the test. It may run in any goroutine.
func RunCommand(t testing.TB, o ProcessOptions, args ...string) Result {
	t.Helper()
	r := Result{Args: args, Code: -1}
	cmd, err := o.command(args)
	if err != nil {
		t.Error(err)
		return r
	}
	var stdout, stderr strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(o.Stdin), &stdout, &stderr
	var late atomic.Bool
	if err = cmd.Start(); err == nil {
		timeout := time.AfterFunc(Patience, func() { late.Store(true); _ = cmd.Process.Kill() })
		defer timeout.Stop()
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || late.Load() {
		t.Errorf("node %q: %v, killed after %v: %t\nstandard error:\n%s", args, err, Patience, late.Load(),
			Tail(stderr.String()))
		return r
	}
	r.Stdout, r.Stderr, r.Code = stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
	if crash.MatchString(r.Stderr) {
		t.Errorf("node %q crashed or raced:\n%s", args, Tail(r.Stderr))
	}
	return r
}
