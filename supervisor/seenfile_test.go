//go:build unix

package supervisor

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/Snider/go-p2p/crypto"
)

// The file of seen ids never blocks a start and is read with a size limit.
func TestSeenFileMustBeAFile(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"FIFO":             func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"link to a device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"directory":        func(path string) error { return os.Mkdir(path, 0o700) },
		"huge": func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			seen := filepath.Join(dir, "seen")
			if err := make(seen); err != nil {
				t.Fatal(err)
			}
			book := openBook(t, filepath.Join(dir, "peers.db"))
			cfg := DefaultTransportConfig()
			cfg.ListenAddr = ""
			node, err := NewTransport(mustKeys(t), book, cfg)
			if err != nil {
				t.Fatal(err)
			}
			err = node.Start()
			if !containsText(err, seen) || !containsText(err, "move it away") {
				t.Errorf("start: %v", err)
			}
			if _, err := os.Lstat(seen); err != nil {
				t.Errorf("it was removed: %v", err)
			}
		})
	}
}

func mustKeys(t *testing.T) *crypto.NodeManager {
	t.Helper()
	keys, err := crypto.NewEphemeralNodeManager("node", crypto.RoleDual)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
