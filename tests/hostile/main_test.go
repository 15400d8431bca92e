package hostile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	// patience is how long a test waits for one event. It is only met by something that never happens.
	patience = 30 * time.Second
	// fullRun in the environment asks for the long runs.
	fullRun = "HOSTILE_FULL"
)

// full reports whether the long runs are wanted.
func full() bool { return os.Getenv(fullRun) != "" }

// scratch is the folder of the package's run, for what all tests share.
var scratch string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "hostile"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	code := m.Run()
	if code != 0 {
		return code
	}
	if err := leaks(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// leaks looks for goroutines that are left. The actor library's dead-letter throttle lives a second longer than its
// actors, which is longer than goleak waits.
func leaks() (err error) {
	for range 5 {
		if err = goleak.Find(); err == nil {
			return nil
		}
	}
	return err
}

// binary builds the node once, without the race detector, whose shadow memory would drown what is measured here.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "node")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/node")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/node: %w\n%s", err, out)
	}
	return path, nil
})
