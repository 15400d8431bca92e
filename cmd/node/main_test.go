package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asBinary is a variable that makes the test binary the program itself, for tests that need one in a terminal.
const asBinary = "NODE_TEST_AS_BINARY"

// TestMain fails the run when a goroutine is left over. The actor library's count of dead letters is one that ends by
// itself within a second.
func TestMain(m *testing.M) {
	if os.Getenv(asBinary) != "" {
		main()
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"))
}

// Without HOME and XDG_DATA_HOME the default would be below the root of the file system: there is none.
func TestDefaultDataDirNeedsTheEnvironment(t *testing.T) {
	environ := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for _, c := range []struct {
		getenv func(string) string
		system string
		some   bool
	}{
		{environ(), "linux", false},
		{environ("XDG_DATA_HOME", "relative"), "linux", false},
		{environ("HOME", "/home/a"), "linux", true},
		{environ("XDG_DATA_HOME", "/data"), "linux", true},
		{environ(), "windows", true},
	} {
		if dir := defaultDataDir(c.getenv, c.system); (dir != "") != c.some {
			t.Errorf("%s: %q, want some: %v", c.system, dir, c.some)
		}
	}
}

func TestCommandsRequireADataDirectory(t *testing.T) {
	for _, command := range []string{"run", "id", "status", "peers", "reload", "top"} {
		var complaint strings.Builder
		a := &app{
			stdin: strings.NewReader(""), stdout: io.Discard, stderr: &complaint, now: time.Now, hostName: "host",
			signals: func() (<-chan os.Signal, func()) { return nil, func() {} },
		}
		if status := a.run([]string{command}); status != exitUsage || !strings.Contains(complaint.String(), "--data-dir") {
			t.Errorf("node %s: exit %d, %s", command, status, complaint.String())
		}
	}
}
