//go:build unix

package socket

import "syscall"

const canReadAhead = true

// readOnce reads the available data. again reports that there is none yet.
func readOnce(fd uintptr, p []byte) (n int, again bool, err error) {
	for {
		n, err = syscall.Read(int(fd), p)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, true, nil
		}
		return max(n, 0), false, err
	}
}
