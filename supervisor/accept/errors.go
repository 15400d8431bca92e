package accept

import (
	"errors"
	"syscall"
)

// unusable reports whether err means that the descriptor is not a listening socket.
func unusable(err error) bool {
	return errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSOCK) ||
		errors.Is(err, syscall.EOPNOTSUPP)
}

// temporary reports whether err comes from the operating system, or is temporary by its own account.
func temporary(err error) bool {
	var number syscall.Errno
	var passing interface{ Temporary() bool }
	return errors.As(err, &number) || errors.As(err, &passing) && passing.Temporary()
}

// exhausted reports whether err means that the process or the system has no free file descriptor.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
