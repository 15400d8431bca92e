// Package oserror classifies network errors by the numbers of the operating system. Windows reports numbers of its own
// that errors.Is does not match with the constants of package syscall.
package oserror

import "errors"

// Refused reports whether the peer's system refused the connection because no process listens on the address.
func Refused(err error) bool { return errors.Is(err, connectionRefused) }

// Reset reports whether the peer's system reset the connection.
func Reset(err error) bool { return errors.Is(err, connectionReset) }

// InUse reports whether another socket uses the address.
func InUse(err error) bool { return errors.Is(err, addressInUse) }
