//go:build unix

package crypto

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// checkAccess refuses an identity file that belongs to another user or that other users can access. A shared one may
// belong to root and be readable for a group of this process, as a mounted secret.
func checkAccess(path string, info fs.FileInfo, shared bool) error {
	owner, known := info.Sys().(*syscall.Stat_t)
	if known && int(owner.Uid) != os.Geteuid() && (!shared || owner.Uid != 0) {
		return fmt.Errorf(
			"identity file %s belongs to user %d, not to user %d that runs this node: chown it or run as its owner",
			path, owner.Uid, os.Geteuid())
	}
	private := fs.FileMode(0o077)
	if shared && known && inGroup(int(owner.Gid)) {
		private = 0o037
	}
	if mode := info.Mode().Perm(); mode&private != 0 {
		return fmt.Errorf("identity file %s holds a private key but other users can access it (mode %04o): chmod 600 %s",
			path, mode, path)
	}
	return nil
}

// inGroup reports whether this process is in a group.
func inGroup(group int) bool {
	groups, _ := os.Getgroups() // on an error only the effective group counts
	return group == os.Getegid() || slices.Contains(groups, group)
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
