//go:build unix

package crypto

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkAccess refuses an identity file that belongs to another user or that other users can access.
func checkAccess(path string, info fs.FileInfo) error {
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf(
			"identity file %s belongs to user %d, not to user %d that runs this node: chown it or run as its owner",
			path, owner.Uid, os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("identity file %s holds a private key but other users can access it (mode %04o): chmod 600 %s",
			path, mode, path)
	}
	return nil
}

// syncDir syncs a directory, so that its entries survive a power failure.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open the data directory: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading only
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync the data directory: %w", err)
	}
	return nil
}
