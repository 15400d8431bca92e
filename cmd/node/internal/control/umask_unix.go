//go:build unix

package control

import "syscall"

// restrictNewFiles makes files that the process creates accessible to their owner only, until restore is called. The
// umask belongs to the whole process: files that other goroutines create meanwhile may get a narrower mode.
func restrictNewFiles() (restore func()) {
	before := syscall.Umask(0o177)
	return func() { syscall.Umask(before) }
}
