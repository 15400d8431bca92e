//go:build unix

package hostile

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/tests/nodetest"
)

// TestSpecialFilesEndTheStart: a special file in place of one of the node's files ends the start with one line that
// names it and does not mention damage. No start blocks or reads without a limit.
func TestSpecialFilesEndTheStart(t *testing.T) {
	t.Parallel()
	fifo := func(path string) error { return syscall.Mkfifo(path, 0o600) }
	zero := func(path string) error { return os.Symlink("/dev/zero", path) }
	dir := func(path string) error { return os.Mkdir(path, 0o700) }
	for _, tt := range []struct {
		file string
		make func(path string) error
		code int
	}{
		{"seen", fifo, 1},
		{"seen", zero, 1},
		{"seen", dir, 1},
		{"peers.db", fifo, 1},
		{"peers.db", zero, 1},
		{"peers.db", dir, 1},
		{"identity.json", fifo, 1},
		{"identity.json", zero, 1},
		{"identity.json", dir, 1},
		{"node.yaml", fifo, 2},
		{"node.yaml", zero, 2},
		{"node.yaml", dir, 2},
	} {
		home := nodetest.NewHome(t)
		path := filepath.Join(home, tt.file)
		must(t, tt.make(path))
		args := []string{"run", "--listen", "127.0.0.1:0", "--admin", "", "--log-level", "error"}
		if tt.file == "node.yaml" {
			args = append(args, "--config", path)
		}
		code, stderr := run(t, home, args...)
		if code != tt.code || !oneLineNames(stderr, path) || strings.Contains(stderr, "damaged") {
			t.Errorf("%s: exit code %d, want %d and one line that names the file:\n%s", tt.file, code, tt.code, stderr)
		}
	}
}

// TestDataDirOfOthersIsRefused: the node refuses a data directory that other users can write.
func TestDataDirOfOthersIsRefused(t *testing.T) {
	t.Parallel()
	home := nodetest.NewHome(t)
	must(t, os.Chmod(home, 0o777))
	for _, command := range [][]string{{"run", "--listen", "127.0.0.1:0", "--admin", ""}, {"id"}} {
		code, stderr := run(t, home, command...)
		if code != 1 || !strings.Contains(stderr, home) || !strings.Contains(stderr, "other users can write") {
			t.Errorf("%s: exit code %d:\n%s", command[0], code, stderr)
		}
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) != 0 {
		t.Errorf("it holds %v now, want nothing (%v)", entries, err)
	}
}
