package accept

import (
	"errors"
	"syscall"
)

// unusable reports whether err says that the socket is none, or does not listen.
func unusable(err error) bool {
	return errors.Is(err, syscall.EBADF) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSOCK) ||
		errors.Is(err, syscall.EOPNOTSUPP)
}

// temporary reports whether err is an error of the operating system, or says of itself that it passes.
func temporary(err error) bool {
	var number syscall.Errno
	var passing interface{ Temporary() bool }
	return errors.As(err, &number) || errors.As(err, &passing) && passing.Temporary()
}

// exhausted reports whether err says that no file descriptor is left.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
