package nodetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// module is the path of the module that holds the node.
const module = "github.com/Snider/go-p2p"

// builds are the node binaries of this test binary: plain, and with the race detector.
var builds struct {
	folder sync.Mutex
	path   string
	plain  func() (string, error)
	race   func() (string, error)
}

func init() {
	builds.plain = sync.OnceValues(func() (string, error) { return build("node") })
	builds.race = sync.OnceValues(func() (string, error) { return build("node-race", "-race") })
}

// Main runs the tests of a package, deletes the node binaries and fails if a goroutine is left. It returns the exit
// code.
func Main(m *testing.M, ignored ...goleak.Option) int {
	defer func() { _ = os.RemoveAll(builds.path) }()
	if code := m.Run(); code != 0 {
		return code
	}
	if err := leaks(ignored); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// leaks looks for goroutines several times: the dead-letter throttle of the actor library outlives its actors by a
// second, which is longer than goleak waits.
func leaks(ignored []goleak.Option) (err error) {
	for range 5 {
		if err = goleak.Find(ignored...); err == nil {
			return nil
		}
	}
	return err
}

// Binary returns the path of the node binary and builds it at the first call. The race detector is left out on 32-bit
// platforms, for which Go has none. Safe for concurrent use.
func Binary(race bool) (string, error) {
	if race && strconv.IntSize == 64 {
		return builds.race()
	}
	return builds.plain()
}

// build compiles cmd/node of the module that this package belongs to, also for tests of another module.
func build(name string, flags ...string) (string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("find module %s: %w", module, err)
	}
	folder, err := buildFolder()
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, name+".exe") // Windows runs only files with this ending
	cmd := exec.Command("go", slices.Concat([]string{"build"}, flags, []string{"-o", path, "./cmd/node"})...)
	cmd.Dir = strings.TrimSpace(string(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/node: %w\n%s", err, out)
	}
	return path, nil
}

func buildFolder() (string, error) {
	builds.folder.Lock()
	defer builds.folder.Unlock()
	if builds.path != "" {
		return builds.path, nil
	}
	var err error
	builds.path, err = os.MkdirTemp("", "nodetest")
	return builds.path, err
}
