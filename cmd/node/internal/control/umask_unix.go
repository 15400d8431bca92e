//go:build unix

package control

import "syscall"

// restrictNewFiles makes the process create files with mode 0600 at most, until restore is called. The umask belongs to
// the process: files that other goroutines create meanwhile may get a narrower mode.
func restrictNewFiles() (restore func()) {
	before := syscall.Umask(0o177)
	return func() { syscall.Umask(before) }
}
