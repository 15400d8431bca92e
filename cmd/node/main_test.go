package main

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// asBinary is an environment variable that makes the test binary run as `node`.
const asBinary = "NODE_TEST_AS_BINARY"

// TestMain runs the program instead of the tests if asBinary is set.
func TestMain(m *testing.M) {
	if os.Getenv(asBinary) != "" {
		main()
	}
	os.Exit(nodetest.Main(m))
}

// Without HOME and the XDG variable there is no default: it would be below the root of the file system.
func TestDefaultPathsNeedTheEnvironment(t *testing.T) {
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
		config := func(name string) string { return c.getenv(strings.Replace(name, "CONFIG", "DATA", 1)) }
		if file := defaultFile(config, c.system); (file != "") != c.some {
			t.Errorf("%s: settings file %q, want some: %v", c.system, file, c.some)
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
