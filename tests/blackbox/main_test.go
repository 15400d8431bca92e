package blackbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const (
	// patience is how long a test waits for one event. It is only met by something that never happens.
	patience = 30 * time.Second
	// tailBytes is how much of a process's output a failure shows.
	tailBytes = 8 << 10
)

// nodeBinary is the path of the node under test, built with the race detector; commandBinary is the same without it, for
// the short commands, which start ten times faster so.
var nodeBinary, commandBinary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

// testMain builds the binary, runs the tests and looks for goroutines that they left behind.
func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "blackbox")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	nodeBinary, err = build(dir, "node", raceFlag()...)
	if err == nil {
		commandBinary, err = build(dir, "command")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// raceFlag returns -race, or nothing on 32-bit platforms, for which Go has no race detector.
func raceFlag() []string {
	if strconv.IntSize == 32 {
		return nil
	}
	return []string{"-race"}
}

// build compiles cmd/node of the module that this package belongs to.
func build(dir, name string, flags ...string) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	cmd := exec.Command("go", slices.Concat([]string{"build"}, flags, []string{"-o", path, "./cmd/node"})...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/node: %w\n%s", err, out)
	}
	return path, nil
}

// moduleRoot is the nearest folder above this one that holds a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the tests")
		}
		dir = parent
	}
}
