package peerbook

import "golang.org/x/sys/unix"

// unmapPages takes size bytes of a file's memory map at an address out of the resident memory. The map stays valid, and
// read-only pages of a file lose nothing. It is advice, so errors have no effect.
func unmapPages(address uintptr, size int64) {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, address, uintptr(size), unix.MADV_DONTNEED)
}
