//go:build unix

package socket

import "syscall"

const canReadAhead = true

// readOnce reads the available data. again reports that there is none yet.
func readOnce(fd uintptr, p []byte) (n int, again bool, err error) { return once(quickRead, fd, p) }

// writeOnce writes as much as the operating system accepts at once. again reports that it accepts nothing now.
func writeOnce(fd uintptr, p []byte) (n int, again bool, err error) { return once(quickWrite, fd, p) }

func once(call func(fd uintptr, p []byte) (int, error), fd uintptr, p []byte) (n int, again bool, err error) {
	for {
		n, err = call(fd, p)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, true, nil
		}
		return max(n, 0), false, err
	}
}
