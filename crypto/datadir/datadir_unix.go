//go:build unix

package datadir

import (
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
	groups, _ := os.Getgroups() // on an error: the effective group only
	return !slices.Contains(append(groups, os.Getegid()), int(owner.Gid))
}
