//go:build linux && !race

package socket

import (
	"syscall"
	"unsafe"
)

// quickRead and quickWrite make one system call on a socket that never blocks. They bypass the Go scheduler's
// accounting of calls that may block: its first call after the process was idle wakes the runtime's monitor thread. For
// a lone message that is two futex calls, two timers and four context switches, a quarter of the processor time of a
// round trip.
//
// The monitor preempts goroutines that compute for more than 10 ms. It still wakes for other system calls, at each
// garbage collection, and for the next timer, which in a running node is the pulse of its clock (100 ms).
//
// The race detector does not see data pass through these calls, so its programs use the others. p is not empty.

func quickRead(fd uintptr, p []byte) (int, error) { return quick(syscall.SYS_READ, fd, p) }

func quickWrite(fd uintptr, p []byte) (int, error) { return quick(syscall.SYS_WRITE, fd, p) }

func quick(call, fd uintptr, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
