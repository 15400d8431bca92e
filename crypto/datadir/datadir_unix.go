//go:build unix

package datadir

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// noWait makes open return immediately for a FIFO.
const noWait = syscall.O_NONBLOCK

// exposed reports whether users other than the owner and members of this process's groups can write to a directory.
func exposed(info fs.FileInfo) bool {
	mode := info.Mode().Perm()
	if mode&0o002 != 0 {
		return true
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if mode&0o020 == 0 || !ok {
		return false
	}
	return !inGroup(int(owner.Gid))
}

// CheckPrivate refuses a file that belongs to another user or that other users can access. A shared one may belong to
// root and be readable for a group of this process, as a mounted secret. The error names the remedy.
func CheckPrivate(path string, info fs.FileInfo, shared bool) error {
	owner, known := info.Sys().(*syscall.Stat_t)
	if known && int(owner.Uid) != os.Geteuid() && (!shared || owner.Uid != 0) {
		return fmt.Errorf("it belongs to user %d, not to user %d that runs this node: chown it or run as its owner",
			owner.Uid, os.Geteuid())
	}
	private := fs.FileMode(0o077)
	if shared && known && inGroup(int(owner.Gid)) {
		private = 0o037
	}
	if mode := info.Mode().Perm(); mode&private != 0 {
		return fmt.Errorf("other users can access it (mode %04o): chmod 600 %s", mode, path)
	}
	return nil
}

// inGroup reports whether this process is in a group.
func inGroup(group int) bool {
	groups, _ := os.Getgroups() // on an error only the effective group counts
	return group == os.Getegid() || slices.Contains(groups, group)
}
